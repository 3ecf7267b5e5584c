package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestLogAttributes: lines of the log call one thing by one name, in all packages: those that
// ARCHITECTURE.md lists, and these are all in use.
func TestLogAttributes(t *testing.T) {
	atRoot(t)
	listed := quoted(t, "### What lines of the log say", "## ")
	used := make(map[string]string)
	for dir, names := range goFiles(t) {
		if dir != "." && !regexp.MustCompile(`^(internal|membership|httppool|hotcache|dashboard|observability|cmd)\b`).MatchString(dir) || strings.Contains(dir, "meshtest") {
			continue
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), path.Join(dir, name), nil, 0)
			must(t, err)
			ast.Inspect(f, func(n ast.Node) bool {
				for _, key := range attributes(n) {
					used[key] = path.Join(dir, name)
				}
				return true
			})
		}
	}
	for key, file := range used {
		if !slices.Contains(listed, key) {
			t.Errorf("%s logs %q, which ARCHITECTURE.md does not list", file, key)
		}
	}
	for _, key := range listed {
		if used[key] == "" {
			t.Errorf("ARCHITECTURE.md lists %q, which nothing logs", key)
		}
	}
}

var (
	levels  = []string{"Debug", "Info", "Warn", "Error", "With", "complain"}
	loggers = regexp.MustCompile(`(?i)^(log|logger|w)$`)
	kinds   = []string{"String", "Any", "Int", "Int64", "Uint64", "Bool", "Duration", "Time"}
)

// attributes returns the keys that a call gives to a logger, those of a list of arguments included.
func attributes(n ast.Node) (keys []string) {
	switch n := n.(type) {
	case *ast.CompositeLit: // []any{"key", value, …}
		if list, ok := n.Type.(*ast.ArrayType); ok && isAny(list.Elt) && len(n.Elts)%2 == 0 {
			keys = everySecond(n.Elts)
		}
	case *ast.CallExpr:
		sel, ok := n.Fun.(*ast.SelectorExpr)
		switch {
		case !ok:
			if nameOf(n.Fun) == "append" && len(n.Args) > 2 && slices.Contains([]string{"args", "LogArgs"}, nameOf(n.Args[0])) {
				keys = everySecond(n.Args[1:])
			}
		case slices.Contains(kinds, sel.Sel.Name) && nameOf(sel.X) == "slog" && len(n.Args) == 2:
			keys = literals(n.Args[:1])
		case slices.Contains(levels, sel.Sel.Name) && loggers.MatchString(nameOf(sel.X)) && len(n.Args) > 1:
			from := 1
			if sel.Sel.Name == "With" {
				from = 0
			}
			keys = everySecond(n.Args[from:])
		}
	}
	return keys
}

func isAny(e ast.Expr) bool { return nameOf(e) == "any" }

// nameOf returns the last name of an expression.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.CallExpr:
		return nameOf(e.Fun)
	}
	return ""
}

// everySecond returns the literals among the first, third and so on, which are keys.
func everySecond(args []ast.Expr) (keys []string) {
	for i := 0; i+1 < len(args); i += 2 {
		keys = append(keys, literals(args[i:i+1])...)
	}
	return keys
}

func literals(args []ast.Expr) (found []string) {
	for _, a := range args {
		if lit, ok := a.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				found = append(found, s)
			}
		}
	}
	return found
}
