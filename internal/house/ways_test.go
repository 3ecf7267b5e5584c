package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestWays: what ARCHITECTURE.md names on the ways is declared.
func TestWays(t *testing.T) {
	atRoot(t)
	known := names(t)
	for _, name := range append(quoted(t, "## Five ways", "## Words"), quoted(t, "### Further ways", "### File by file")...) {
		if strings.HasSuffix(name, ".go") {
			continue // see TestFiveWays
		}
		if regexp.MustCompile(`^[\w.]+$`).MatchString(name) && !known[name] {
			t.Errorf("ARCHITECTURE.md names %s on a way, which is not declared", name)
		}
	}
}

// TestFilesOfTheRoot: ARCHITECTURE.md says of each file of the root what it is.
func TestFilesOfTheRoot(t *testing.T) {
	atRoot(t)
	said := quoted(t, "In the root, where no file", "In the owner, from")
	var are []string
	for _, name := range goFiles(t)["."] {
		if !strings.HasSuffix(name, "_test.go") {
			are = append(are, strings.TrimSuffix(name, ".go"))
		}
	}
	slices.Sort(said)
	slices.Sort(are)
	if !slices.Equal(said, are) {
		t.Errorf("ARCHITECTURE.md has these files in the root:\n%v\nand there are\n%v", said, are)
	}
	set, files := token.NewFileSet(), make(map[string]*ast.File)
	for _, name := range are {
		f, err := parser.ParseFile(set, name+".go", nil, 0)
		must(t, err)
		files[name] = f
	}
	if found := cycles(references(files)); len(found) > 0 {
		t.Errorf("files of the root refer to each other: %v", found)
	}
}

// quoted returns what stands in backquotes in a part of ARCHITECTURE.md.
func quoted(t *testing.T, from, to string) (found []string) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	must(t, err)
	_, part, ok := strings.Cut(string(text), from)
	part, _, ends := strings.Cut(part, to)
	if !ok || !ends {
		t.Fatalf("ARCHITECTURE.md has no part from %q to %q", from, to)
	}
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(part, -1) {
		found = append(found, m[1])
	}
	return found
}

// names returns what the library declares, and its packages: each alone, after its type, and
// after its package and its type. A method may be one of what its type embeds, so after a type stands
// whatever methods and fields the package has.
func names(t *testing.T) map[string]bool {
	known := make(map[string]bool)
	for dir, list := range goFiles(t) {
		var types, members, others []string
		for _, name := range list {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), path.Join(dir, name), nil, 0)
			must(t, err)
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Recv != nil {
						members = append(members, n.Name.Name)
					} else {
						others = append(others, n.Name.Name)
					}
				case *ast.TypeSpec:
					types = append(types, n.Name.Name)
				case *ast.ValueSpec:
					for _, id := range n.Names {
						others = append(others, id.Name)
					}
				case *ast.StructType:
					members = append(members, fieldNames(n.Fields)...)
				case *ast.InterfaceType:
					members = append(members, fieldNames(n.Methods)...)
				}
				return true
			})
		}
		pkg := path.Base(dir)
		known[pkg] = true
		for _, name := range slices.Concat(types, members, others) {
			known[name], known[pkg+"."+name] = true, true
		}
		for _, typ := range types {
			for _, name := range members {
				known[typ+"."+name], known[pkg+"."+typ+"."+name] = true, true
			}
		}
	}
	return known
}

func fieldNames(list *ast.FieldList) (found []string) {
	for _, f := range list.List {
		for _, id := range f.Names {
			found = append(found, id.Name)
		}
	}
	return found
}
