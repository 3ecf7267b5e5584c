package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKeep: a run of one section leaves the others as they were, and says which are older; a section
// that is measured again is not.
func TestKeep(t *testing.T) {
	dir := t.TempDir()
	first := document()
	first.Command, first.Rounds, first.Duration = "go run . -first", 5, 300*time.Millisecond
	if err := first.Write(dir); err != nil {
		t.Fatal(err)
	}
	next := func(command, suite, cell string) string {
		t.Helper()
		s := sample(cell, "cachemesh", 1, 7e5)
		s.Suite = suite
		d := &Document{Command: command, Rounds: 3, Samples: Samples{s}, Systems: []System{{Name: "cachemesh", Title: "CacheMesh"}},
			Suites: []Suite{{Name: suite, Title: "The " + suite, Cells: []Cell{{Name: cell, Title: "here", Work: "get"}}}}}
		if err := d.Keep(dir); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(dir); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "RESULTS.md"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	got := next("go run . -second", "mixed", "mixed")
	for _, want := range []string{
		"**Of an earlier run**, `go run . -first`, with 5 rounds of 300ms after 0s: *Remote*, *Growth of the mesh*, *Hit ratio*.",
		"## The mixed", "## Remote", "Redis & rueidis", "## Growth of the mesh", "| 3 | 2 | 1.00 ms | 3.00 ms |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("without %q:\n%s", want, got)
		}
	}
	got = next("go run . -third", "remote", "remote-128-64")
	for _, want := range []string{
		"`go run . -first`, with 5 rounds of 300ms after 0s: *Growth of the mesh*, *Hit ratio*.",
		"`go run . -second`, with 3 rounds of 0s after 0s: *The mixed*.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("without %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "Redis & rueidis | **3.00") {
		t.Error("the old figures of what was measured anew are there")
	}
	if err := new(Document).Keep(t.TempDir()); err == nil {
		t.Error("nothing to be kept, and no error")
	}
}
