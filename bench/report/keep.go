package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Kept are sections of an earlier run. Ratios are within a section, so it may stand beside others.
type Kept struct {
	Command        string
	Rounds         int
	Duration, Warm time.Duration
	Titles         []string
}

// Keep takes over what a folder's results.json has of sections that this run did not measure.
func (d *Document) Keep(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err != nil {
		return fmt.Errorf("there is nothing to be kept: %w", err)
	}
	var old Document
	if err := json.Unmarshal(raw, &old); err != nil {
		return fmt.Errorf("results.json: %w", err)
	}
	now := make(map[string]bool) // suites
	for _, s := range d.Samples {
		now[s.Suite] = true
	}
	last := Kept{Command: old.Command, Rounds: old.Rounds, Duration: old.Duration, Warm: old.Warm}
	earlier := old.Kept
	for _, s := range old.Samples {
		if now[s.Suite] {
			continue
		}
		d.Samples = append(d.Samples, s)
		title := d.adopt(&old, s.Suite)
		if title != "" && !isOlder(old.Kept, title) && !slices.Contains(last.Titles, title) {
			last.Titles = append(last.Titles, title)
		}
	}
	d.keepRest(&old, &last)
	for _, k := range append(earlier, last) {
		k.Titles = slices.DeleteFunc(k.Titles, func(t string) bool { return !isShown(d, &old, t, now) })
		if len(k.Titles) > 0 {
			d.Kept = append(d.Kept, k)
		}
	}
	return nil
}

// adopt takes a section's description, where this program has none, and those of its systems, and returns its title.
func (d *Document) adopt(old *Document, name string) (title string) {
	is := func(s Suite) bool { return s.Name == name }
	i := slices.IndexFunc(old.Suites, is)
	if i < 0 {
		return ""
	}
	if !slices.ContainsFunc(d.Suites, is) {
		d.Suites = append(d.Suites, old.Suites[i])
	}
	for _, s := range old.Systems {
		if !slices.ContainsFunc(d.Systems, func(has System) bool { return has.Name == s.Name }) {
			d.Systems = append(d.Systems, s)
		}
	}
	return old.Suites[i].Title
}

// isOlder reports whether what stands under a title was of an earlier run already.
func isOlder(all []Kept, title string) bool {
	return slices.ContainsFunc(all, func(k Kept) bool { return slices.Contains(k.Titles, title) })
}

const (
	growthTitle   = "Growth of the mesh"
	hitRatioTitle = "Hit ratio"
)

// keepRest takes what is in no section of its own.
func (d *Document) keepRest(old *Document, last *Kept) {
	if len(d.Growth) == 0 && len(old.Growth) > 0 {
		if d.Growth = old.Growth; !isOlder(old.Kept, growthTitle) {
			last.Titles = append(last.Titles, growthTitle)
		}
	}
	if len(d.HitRatio) == 0 && len(old.HitRatio) > 0 {
		if d.HitRatio, d.Traces = old.HitRatio, old.Traces; !isOlder(old.Kept, hitRatioTitle) {
			last.Titles = append(last.Titles, hitRatioTitle)
		}
	}
}

// isShown reports whether what stands under a title is of an earlier run.
func isShown(d, old *Document, title string, now map[string]bool) bool {
	switch title {
	case growthTitle:
		return len(d.Growth) > 0 && len(old.Growth) > 0 && &d.Growth[0] == &old.Growth[0]
	case hitRatioTitle:
		return len(d.HitRatio) > 0 && len(old.HitRatio) > 0 && &d.HitRatio[0] == &old.HitRatio[0]
	}
	return slices.ContainsFunc(old.Suites, func(s Suite) bool { return s.Title == title && !now[s.Name] })
}

// kept says what is of earlier runs.
func kept(all []Kept, b *strings.Builder) {
	for _, k := range all {
		fmt.Fprintf(b, "\n**Of an earlier run**, `%s`, with %d rounds of %v after %v: *%s*.\n", k.Command, k.Rounds, k.Duration, k.Warm, strings.Join(k.Titles, "*, *"))
	}
}
