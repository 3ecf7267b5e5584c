package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// equivalent is a package's list of changes that nobody can notice.
const equivalent = "testdata/equivalent.txt"

// check runs a package's tests against all changes of it, and says what came of that.
// It reports whether none was missed that is not on the list, and none is on it for nothing.
func check(dir string, c choice) (fine bool, err error) {
	start := time.Now()
	p, err := load(dir)
	if err != nil {
		return false, err
	}
	known, err := readList(filepath.Join(p.dir, equivalent))
	if err != nil {
		return false, err
	}
	tmp, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(tmp)
	mutants := p.mutate(c.only)
	var caught, late, same, missed int
	took, err := (&bench{pkg: p, tmp: tmp, args: c.args, inner: c.inner}).all(mutants, c.workers, func(m mutant, f fate) {
		_, listed := known[m.name]
		what := ""
		switch {
		case f.caught:
			if caught++; f.late {
				late++
			}
			if what = "caught"; listed {
				what = "caught, and listed as equivalent"
			}
		case listed:
			same++
			what = "equivalent"
			delete(known, m.name)
		default:
			missed++
			if what = "missed"; !f.reached {
				what = "missed, not reached"
			}
		}
		if c.verbose || what != "caught" && what != "equivalent" {
			fmt.Printf("%s:%d: %s: %s\n", filepath.Base(m.pos.Filename), m.pos.Line, what, m.name)
		}
	})
	if err != nil {
		return false, err
	}
	for name := range known {
		if len(c.only) > 0 {
			break // what is listed may be of other files
		}
		fmt.Printf("%s: no such change is missed: %s\n", equivalent, name)
	}
	n := len(mutants) - 1
	fmt.Printf("%s: %d changes, %d caught (%d by running out of time), %d equivalent, %d missed: %.1f %% of those that matter; "+
		"the tests take %v, all of this took %v\n", p.path, n, caught, late, same, missed,
		100*float64(caught)/float64(max(n-same, 1)), took.Round(time.Millisecond), time.Since(start).Round(time.Second))
	return missed == 0 && (len(c.only) > 0 || len(known) == 0), nil
}

// readList returns the changes that are listed.
func readList(file string) (map[string]struct{}, error) {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return map[string]struct{}{}, nil
	}
	if err != nil {
		return nil, err
	}
	known := make(map[string]struct{})
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " | ")
		if at < 0 {
			return nil, fmt.Errorf("%s: a line without a word why: %s", file, line)
		}
		known[strings.TrimSpace(line[:at])] = struct{}{}
	}
	return known, nil
}
