package main

import (
	"slices"
	"testing"
)

// TestSample takes apart a package of which it is known what its tests notice.
func TestSample(t *testing.T) {
	p, err := load("testdata/sample")
	if err != nil {
		t.Fatal(err)
	}
	mutants := p.mutate(nil)
	var missed []string
	if _, err := (&bench{pkg: p, tmp: t.TempDir()}).all(mutants, 2, func(m mutant, f fate) {
		if !f.caught {
			missed = append(missed, m.name)
		}
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Clamp: bound: n < 0",
		"Sum: never: skip != nil && skip(n)", // no test skips anything
		"Sum: always: skip(n)",
		"Sum: removed: continue",
		"Unknown: arithmetic: n + 1",
	}
	slices.Sort(missed)
	slices.Sort(want)
	if !slices.Equal(missed, want) {
		t.Errorf("missed\n%q, want\n%q", missed, want)
	}
	fine, err := check("testdata/sample", choice{workers: 2})
	if fine || err != nil {
		t.Errorf("check = %v, %v", fine, err)
	}
	list, err := readList("testdata/sample/testdata/equivalent.txt")
	if _, ok := list[want[0]]; err != nil || len(list) != 1 || !ok {
		t.Errorf("the list is %v, %v", list, err)
	}
}

// TestOnlySomeFiles: of the files that are named alone there are changes.
func TestOnlySomeFiles(t *testing.T) {
	p, err := load("testdata/sample")
	if err != nil {
		t.Fatal(err)
	}
	if mutants := p.mutate([]string{"other.go"}); len(mutants) != 1 {
		t.Errorf("%d changes of a file that is not there", len(mutants)-1)
	}
	if mutants := p.mutate([]string{"sample.go"}); len(mutants) == 1 {
		t.Error("no changes of the file")
	}
}
