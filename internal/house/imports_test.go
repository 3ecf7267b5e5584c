// Package house holds this repository to the shape that ARCHITECTURE.md gives it: who imports
// whom, where tests are, and how large files, functions, types and cycles of files may grow.
package house_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/praveenduddu/cachemesh"

// TestImports holds what packages import against the table of ARCHITECTURE.md.
func TestImports(t *testing.T) {
	atRoot(t)
	allowed, actual := houseTable(t), houseImports(t)
	for dir, imports := range actual {
		may, ok := allowed[dir]
		if !ok {
			t.Errorf("ARCHITECTURE.md has no line for %s", dir)
			continue
		}
		for name := range imports {
			if !may[name] {
				t.Errorf("%s imports %s, which ARCHITECTURE.md does not allow", dir, name)
			}
			delete(may, name)
		}
		if len(may) > 0 {
			t.Errorf("%s may import %v, and does not", dir, slices.Sorted(maps.Keys(may)))
		}
	}
	for dir := range allowed {
		if _, ok := actual[dir]; !ok {
			t.Errorf("ARCHITECTURE.md has a line for %s, which is not there", dir)
		}
	}
}

// TestPlacesOfTests holds the root to few test files, and every package whose tests build
// meshes to looking for what they leave behind.
func TestPlacesOfTests(t *testing.T) {
	atRoot(t)
	const most, lines = 10, 300
	kits, mains := make(map[string]bool), make(map[string]bool)
	inRoot := 0
	must(t, filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		file = filepath.ToSlash(file)
		if err != nil || d.IsDir() || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := os.ReadFile(file)
		dir := path.Dir(file)
		kits[dir] = kits[dir] || strings.Contains(string(text), modulePath+"/internal/meshtest/kit\"")
		mains[dir] = mains[dir] || strings.Contains(string(text), "leaks.Main(m")
		if dir == "." {
			inRoot++
			if n := strings.Count(string(text), "\n"); n > lines {
				t.Errorf("%s has %d lines, want at most %d", file, n, lines)
			}
		}
		return err
	}))
	if inRoot > most {
		t.Errorf("the root has %d test files, want at most %d: see CONTRIBUTING.md", inRoot, most)
	}
	for dir, has := range kits {
		if has && !mains[dir] {
			t.Errorf("the tests in %s build meshes, and look for no goroutines left over", dir)
		}
	}
}

// houseTable returns the packages that each may import.
func houseTable(t *testing.T) map[string]map[string]bool {
	text, err := os.ReadFile("ARCHITECTURE.md")
	must(t, err)
	_, rest, _ := strings.Cut(string(text), "| package | one responsibility | may import |")
	table := make(map[string]map[string]bool)
	for line := range strings.Lines(rest) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			if len(table) > 0 {
				break
			}
			continue
		}
		dir, may := strings.TrimSpace(cells[1]), make(map[string]bool)
		if strings.HasPrefix(dir, "-") {
			continue
		}
		for name := range strings.SplitSeq(cells[3], ",") {
			if name = strings.TrimSpace(name); name != "" {
				may[name] = true
			}
		}
		table[dir] = may
	}
	return table
}

// houseImports returns what each package of the library imports, but for the standard
// library: directories of this module, and the last part of other paths. Programs and
// what composes the whole library are left out.
func houseImports(t *testing.T) map[string]map[string]bool {
	left := []string{"cmd", "examples", "bench", "cachemeshtest", "internal/meshtest", "internal/faults", "internal/moves", "internal/mutants", "observability", "deploy"}
	found := make(map[string]map[string]bool)
	must(t, filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		file = filepath.ToSlash(file)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains(left, file) || file != "." && strings.HasPrefix(file, ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := path.Dir(file)
		if dir == "." {
			dir = "root"
		}
		if found[dir] == nil {
			found[dir] = make(map[string]bool)
		}
		for _, spec := range parsed.Imports {
			if name := importName(spec.Path.Value); name != "" {
				found[dir][name] = true
			}
		}
		return nil
	}))
	return found
}

// importName returns a quoted path as the table has it, "" for the standard library's.
func importName(quoted string) string {
	imported, err := strconv.Unquote(quoted)
	if err != nil || !strings.Contains(strings.Split(imported, "/")[0], ".") {
		return ""
	}
	if dir, ok := strings.CutPrefix(imported, modulePath+"/"); ok {
		return dir
	}
	return path.Base(imported)
}
