package house_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	stepLine  = regexp.MustCompile("(?m)^\\d+\\. (`.*)$")
	quotedOne = regexp.MustCompile("(\\[?)`([^`]+)`(\\]?)")
	bareName  = regexp.MustCompile(`^\w+$`)
)

// TestFiveWays: each step of the five ways begins with a file, and names functions that are declared
// there and are called, under their own name or the one in brackets, by what the way has named before.
func TestFiveWays(t *testing.T) {
	atRoot(t)
	text, err := os.ReadFile("ARCHITECTURE.md")
	must(t, err)
	_, part, _ := strings.Cut(string(text), "\n## Five ways\n")
	part, _, ok := strings.Cut(part, "\n## ")
	ways := strings.Split(part, "\n### ")[1:]
	if !ok || len(ways) != 5 {
		t.Fatalf("ARCHITECTURE.md has %d ways under Five ways, want 5", len(ways))
	}
	lines := make(map[string]int)
	for _, way := range ways {
		title, steps, _ := strings.Cut(way, "\n")
		w := &walk{T: t, way: title, mentioned: make(map[string]bool), lines: lines}
		for i, step := range stepLine.FindAllStringSubmatch(steps, -1) {
			w.step(step[1], i == 0 || strings.Contains(step[1], "`: ⇒"))
		}
		if len(w.mentioned) == 0 {
			t.Errorf("%s has no steps", title)
		}
	}
	n := 0
	for _, size := range lines {
		n += size
	}
	if n > mostLines {
		t.Errorf("the five ways have %d lines of code to read, want at most %d", n, mostLines)
	}
}

// mostLines bounds what the functions of all ways have together: who knows what to look for sees
// a hundred lines a minute.
const mostLines = 1550

// A walk follows one way.
type walk struct {
	*testing.T
	way       string
	mentioned map[string]bool // names in the functions that were read
	lines     map[string]int  // of functions that were read on this way or another
}

// step reads the functions of one step. begins says that nobody before calls the first of them.
func (w *walk) step(text string, begins bool) {
	quoted := quotedOne.FindAllStringSubmatch(text, -1)
	file := quoted[0][2]
	if !strings.HasSuffix(file, ".go") {
		w.Errorf("%s: a step begins with %s, which is no file", w.way, file)
		return
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, nil, 0)
	if err != nil {
		w.Errorf("%s: %v", w.way, err)
		return
	}
	as := ""
	for _, q := range quoted[1:] {
		name := q[2]
		switch {
		case !bareName.MatchString(name):
			continue
		case q[1] != "" && q[3] != "":
			as = name
			continue
		}
		called := begins || w.mentioned[name] || as != "" && w.mentioned[as]
		begins, as = false, ""
		if !w.read(set, f, file, name) {
			w.Errorf("%s: %s declares no function %s", w.way, file, name)
		} else if !called {
			w.Errorf("%s: nothing that was named before calls %s of %s", w.way, name, file)
		}
	}
}

// read notes what the functions of a name mention. It reports false if there is none.
func (w *walk) read(set *token.FileSet, f *ast.File, file, name string) (found bool) {
	for _, decl := range f.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Name.Name != name {
			continue
		}
		found = true
		at := set.Position(fn.Pos()).Line
		w.lines[fmt.Sprint(file, at)] = set.Position(fn.End()).Line - at + 1
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				w.mentioned[id.Name] = true
			}
			return true
		})
	}
	return found
}
