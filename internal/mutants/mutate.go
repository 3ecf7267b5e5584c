package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A mutant is one change.
type mutant struct {
	pos  token.Position
	name string // function: kind: source, and a number if there are several
}

// A mutator writes the changes of a package into its syntax tree: each is asked for at run
// time by its number.
type mutator struct {
	*pkg
	mutants []mutant
	names   map[string]int
	inside  string          // the function
	imports map[string]bool // names of packages that the file imports
}

// mutate changes the files that are named, all if none is.
func (p *pkg) mutate(only []string) []mutant {
	m := &mutator{pkg: p, mutants: make([]mutant, 1), names: make(map[string]int)} // number 0 is no change
	paths := make([]string, 0, len(p.files))
	for file := range p.files {
		if len(only) == 0 || slices.Contains(only, filepath.Base(file)) {
			paths = append(paths, file)
		}
	}
	slices.Sort(paths)
	for _, file := range paths {
		m.imports = importNames(p.files[file])
		for _, d := range p.files[file].Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				m.function(f)
			}
		}
	}
	return m.mutants
}

func importNames(f *ast.File) map[string]bool {
	names := make(map[string]bool)
	for _, spec := range f.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		if name = path.Base(name); spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = true
	}
	return names
}

func (m *mutator) function(f *ast.FuncDecl) {
	m.inside = f.Name.Name
	if f.Recv != nil {
		t := f.Recv.List[0].Type
		if star, ok := t.(*ast.StarExpr); ok {
			t = star.X
		}
		m.inside = m.text(t) + "." + m.inside
	}
	m.block(f.Body, f.Type.Results.NumFields() > 0)
}

// A place is where a change is, as it was before anything was changed.
type place struct {
	pos  token.Position
	text string
}

func (m *mutator) at(n ast.Node) place { return place{m.fset.Position(n.Pos()), m.text(n)} }

// on adds a change and returns the question whether it is asked for.
func (m *mutator) on(at place, kind string) ast.Expr {
	name := fmt.Sprintf("%s: %s: %s", m.inside, kind, at.text)
	if m.names[name]++; m.names[name] > 1 {
		name += fmt.Sprintf(" #%d", m.names[name])
	}
	m.mutants = append(m.mutants, mutant{at.pos, name})
	return &ast.CallExpr{Fun: ast.NewIdent("mutantOn"), Args: []ast.Expr{&ast.BasicLit{
		Kind: token.INT, Value: strconv.Itoa(len(m.mutants) - 1)}}}
}

// block changes a function's body. What returns something ends in a panic that is never
// reached, or the compiler would miss a return.
func (m *mutator) block(b *ast.BlockStmt, returns bool) {
	b.List = m.list(b.List, true)
	if returns {
		b.List = append(b.List, &ast.ExprStmt{X: &ast.CallExpr{Fun: ast.NewIdent("panic"),
			Args: []ast.Expr{&ast.BasicLit{Kind: token.STRING, Value: `"no return"`}}}})
	}
}

// list changes statements; last says that a function ends with them.
func (m *mutator) list(list []ast.Stmt, last bool) []ast.Stmt {
	for i, s := range list {
		list[i] = m.stmt(s, last && i == len(list)-1)
	}
	return list
}

func (m *mutator) stmt(s ast.Stmt, last bool) ast.Stmt {
	switch s := s.(type) {
	case *ast.BlockStmt:
		s.List = m.list(s.List, last)
		return s
	case *ast.LabeledStmt:
		if inner := m.stmt(s.Stmt, last); !isGuarded(inner) {
			s.Stmt = inner
		}
		return s
	case *ast.IfStmt:
		s.Init, s.Cond = m.simple(s.Init), m.cond(s.Cond, true)
		s.Body.List = m.list(s.Body.List, last)
		if s.Else != nil {
			s.Else = m.stmt(s.Else, last)
		}
		return s
	case *ast.ForStmt:
		s.Init, s.Post = m.simple(s.Init), m.simple(s.Post)
		if s.Cond != nil {
			s.Cond = m.cond(s.Cond, true)
		}
		s.Body.List = m.list(s.Body.List, false)
		return s
	case *ast.RangeStmt:
		s.X = m.expr(s.X)
		s.Body.List = m.list(s.Body.List, false)
		return s
	case *ast.SwitchStmt:
		s.Init = m.simple(s.Init)
		if s.Tag != nil {
			s.Tag = m.expr(s.Tag)
		}
		for _, c := range s.Body.List {
			m.clause(c.(*ast.CaseClause), s.Tag == nil, last)
		}
		return s
	case *ast.TypeSwitchStmt:
		for _, c := range s.Body.List {
			m.clause(c.(*ast.CaseClause), false, last)
		}
		return s
	case *ast.SelectStmt:
		for _, c := range s.Body.List {
			c := c.(*ast.CommClause)
			c.Body = m.list(c.Body, last)
		}
		return s
	}
	removed := m.removed(s, last)
	s = m.simple(s)
	if removed == nil {
		return s
	}
	return &ast.IfStmt{Cond: &ast.UnaryExpr{Op: token.NOT, X: removed}, Body: &ast.BlockStmt{List: []ast.Stmt{s}}}
}

func (m *mutator) clause(c *ast.CaseClause, conds, last bool) {
	if conds {
		for i, e := range c.List {
			c.List[i] = m.cond(e, true)
		}
	}
	c.Body = m.list(c.Body, last)
}

func isGuarded(s ast.Stmt) bool { _, ok := s.(*ast.IfStmt); return ok }

// removed returns the question whether a statement is left out, nil if it cannot be.
func (m *mutator) removed(s ast.Stmt, last bool) ast.Expr {
	switch s := s.(type) {
	case *ast.ExprStmt:
		if call, ok := s.X.(*ast.CallExpr); ok && (locks(call) || isPanic(call)) {
			return nil
		}
	case *ast.DeferStmt:
		if locks(s.Call) {
			return nil
		}
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE || blank(s.Lhs) {
			return nil
		}
	case *ast.ReturnStmt:
		if last {
			return nil
		}
	case *ast.BranchStmt:
		if s.Tok != token.BREAK && s.Tok != token.CONTINUE {
			return nil
		}
	case *ast.IncDecStmt, *ast.SendStmt, *ast.GoStmt:
	default:
		return nil
	}
	return m.on(m.at(s), "removed")
}

func blank(list []ast.Expr) bool {
	return !slices.ContainsFunc(list, func(e ast.Expr) bool {
		name, ok := e.(*ast.Ident)
		return !ok || name.Name != "_"
	})
}

func locks(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	return ok && (strings.HasSuffix(f.Sel.Name, "Lock") || strings.HasSuffix(f.Sel.Name, "Unlock"))
}

func isPanic(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.Ident)
	return ok && f.Name == "panic"
}

// simple changes the expressions of a simple statement, which may be nil.
func (m *mutator) simple(s ast.Stmt) ast.Stmt {
	switch s := s.(type) {
	case *ast.ExprStmt:
		s.X = m.expr(s.X)
	case *ast.AssignStmt:
		m.exprs(s.Rhs)
		for i, e := range s.Lhs {
			if _, name := e.(*ast.Ident); !name {
				s.Lhs[i] = m.operand(e)
			}
		}
	case *ast.ReturnStmt:
		m.exprs(s.Results)
	case *ast.SendStmt:
		s.Value = m.expr(s.Value)
	case *ast.DeferStmt:
		m.call(s.Call)
	case *ast.GoStmt:
		m.call(s.Call)
	case *ast.DeclStmt:
		m.decl(s)
	}
	return s
}

func (m *mutator) decl(s *ast.DeclStmt) {
	if d, ok := s.Decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
		for _, spec := range d.Specs {
			m.exprs(spec.(*ast.ValueSpec).Values)
		}
	}
}

func isNumber(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsNumeric != 0
}
