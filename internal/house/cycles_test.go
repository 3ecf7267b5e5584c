package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"testing"
)

// cycles returns the sets of files that all refer to each other, directly or through others.
func cycles(refs map[string]map[string]bool) (found [][]string) {
	number, low := make(map[string]int), make(map[string]int)
	var open []string
	var visit func(file string)
	visit = func(file string) {
		number[file] = len(number) + 1
		low[file] = number[file]
		open = append(open, file)
		for to := range refs[file] {
			if number[to] == 0 {
				visit(to)
			}
			if slices.Contains(open, to) {
				low[file] = min(low[file], low[to])
			}
		}
		if low[file] == number[file] {
			at := slices.Index(open, file)
			if cycle := slices.Sorted(slices.Values(open[at:])); len(cycle) > 1 {
				found = append(found, cycle)
			}
			open = open[:at]
		}
	}
	for _, file := range slices.Sorted(maps.Keys(refs)) {
		if number[file] == 0 {
			visit(file)
		}
	}
	return found
}

// TestReferences: what the cycles are found by sees what it says that it sees.
func TestReferences(t *testing.T) {
	const a = `package p
type base struct{ inner part }
type whole struct{ *base }
func (w *whole) run() { w.inner.Go(); w.low() }
func local(name int) int { return name }
func shadowed() { low := 1; _ = low; far.low(); other.Go() }
`
	const b = `package p
type part struct{}
func (p *part) Go() {}
`
	const c = `package p
func (b *base) low() {}
var table = map[int]int{key: 1}
var field = struct{ key, bare int }{key: 2}
func look() { for _, f := range many() { _ = f.bare } }
`
	const d = `package p
const key, name = 1, 2
func (o *odd) rare() {}
type odd struct{}
func (o *odd) bare() {}
`
	const e = `package p
import "q"
func use() { q.Odd().rare(); made().Go() }
`
	files := make(map[string]*ast.File)
	for name, text := range map[string]string{"a": a, "b": b, "c": c, "d": d, "e": e} {
		f, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		must(t, err)
		files[name] = f
	}
	refs := references(files)
	for file, want := range map[string][]string{"a": {"b", "c"}, "b": nil, "c": {"a", "d"}, "d": nil, "e": {"d"}} {
		if got := slices.Sorted(maps.Keys(refs[file])); !slices.Equal(got, want) {
			t.Errorf("%s refers to %v, want %v", file, got, want)
		}
	}
	if got := cycles(refs); len(got) != 1 || !slices.Equal(got[0], []string{"a", "c"}) {
		t.Errorf("cycles are %v, want one of a and c", got)
	}
}
