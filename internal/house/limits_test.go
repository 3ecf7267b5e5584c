package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// limits are how large things may grow: see ARCHITECTURE.md, The house.
type limits struct {
	files, sources int // of the root
	lines          int // of a file
	function       int // lines of one
	methods        int // of a type
	fields         int // of a struct; 0: any number
	cycle          int // files that refer to each other
}

var (
	everywhere = limits{lines: 300, function: 60, methods: 30, cycle: 4}
	inRoot     = limits{files: 30, sources: 20, lines: 300, function: 60, methods: 25, fields: 15, cycle: 4}
)

// public are the structs of the root whose fields are its options and statistics: the
// contract sets their number.
var public = []string{"Options", "GroupOptions", "Stats", "NodeStats"}

// TestLimits holds all packages to the room that ARCHITECTURE.md gives them. Of tests it
// looks at how long files are alone, and in the root at how many.
func TestLimits(t *testing.T) {
	atRoot(t)
	for dir, names := range goFiles(t) {
		most := everywhere
		if dir == "." {
			most = inRoot
			checkRoot(t, names, most)
		}
		checkPackage(t, dir, names, most)
	}
}

func checkRoot(t *testing.T, names []string, most limits) {
	sources := 0
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			sources++
		}
	}
	if len(names) > most.files || sources > most.sources {
		t.Errorf("the root has %d Go files, %d of them source, want at most %d and %d", len(names), sources, most.files, most.sources)
	}
}

// checkPackage looks at one package.
func checkPackage(t *testing.T, dir string, names []string, most limits) {
	set := token.NewFileSet()
	files, methods := make(map[string]*ast.File), make(map[string]int)
	for _, name := range names {
		f, err := parser.ParseFile(set, path.Join(dir, name), nil, 0)
		must(t, err)
		if n := set.File(f.Pos()).LineCount(); n > most.lines {
			t.Errorf("%s/%s has %d lines, want at most %d", dir, name, n, most.lines)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		files[name] = f
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1; n > most.function {
				t.Errorf("%s/%s: %s has %d lines, want at most %d", dir, name, fn.Name.Name, n, most.function)
			}
			if fn.Recv != nil {
				methods[named(fn.Recv.List[0].Type)]++
			}
		}
	}
	for typ, n := range methods {
		if n > most.methods {
			t.Errorf("%s: %s has %d methods, want at most %d", dir, typ, n, most.methods)
		}
	}
	if most.fields > 0 {
		checkFields(t, files, most.fields)
	}
	for _, cycle := range cycles(references(files)) {
		if len(cycle) > most.cycle {
			t.Errorf("%s: %d files refer to each other, want at most %d: %v", dir, len(cycle), most.cycle, cycle)
		}
	}
}

func checkFields(t *testing.T, files map[string]*ast.File, most int) {
	for name, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || slices.Contains(public, spec.Name.Name) {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok && s.Fields.NumFields() > most {
				t.Errorf("%s: %s has %d fields, want at most %d", name, spec.Name.Name, s.Fields.NumFields(), most)
			}
			return true
		})
	}
}

// goFiles returns the names of the Go files in each directory of this repository.
func goFiles(t *testing.T) map[string][]string {
	found := make(map[string][]string)
	must(t, filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(file, ".go"):
			dir := path.Dir(filepath.ToSlash(file))
			found[dir] = append(found[dir], d.Name())
		}
		return nil
	}))
	return found
}

// atRoot has the test run at the root of the repository. It is for each test, since go test
// caches outcomes, and sees only after TestMain which files they are of.
func atRoot(t *testing.T) { t.Chdir("../..") }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
