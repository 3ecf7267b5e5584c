package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

var (
	bounds = map[token.Token]token.Token{token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR}
	sums   = map[token.Token]token.Token{
		token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL,
		token.AND: token.OR, token.OR: token.AND,
	}
)

func (m *mutator) exprs(list []ast.Expr) {
	for i, e := range list {
		list[i] = m.expr(e)
	}
}

// expr changes an expression. What is true or false is a condition.
func (m *mutator) expr(e ast.Expr) ast.Expr {
	if !m.isCond(e) {
		return m.operand(e)
	}
	if tv := m.info.Types[e]; tv.Value != nil { // true or false itself
		return &ast.BinaryExpr{X: e, Op: token.NEQ, Y: m.on(m.at(e), "flipped")}
	}
	return m.cond(e, true)
}

// isCond reports whether an expression is true, false, a comparison, or made of those.
func (m *mutator) isCond(e ast.Expr) bool {
	t := m.info.Types[e].Type
	if b, ok := t.(*types.Basic); !ok || b.Kind() != types.Bool && b.Kind() != types.UntypedBool {
		return false
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return true
	case *ast.UnaryExpr:
		return e.Op == token.NOT
	case *ast.ParenExpr:
		return m.isCond(e.X)
	case *ast.Ident:
		return e.Name == "true" || e.Name == "false"
	}
	return false
}

// cond changes a condition; of the parts of one, only what makes a part count for nothing.
func (m *mutator) cond(e ast.Expr, whole bool) ast.Expr {
	switch x := e.(type) {
	case *ast.ParenExpr:
		x.X = m.cond(x.X, whole)
		return x
	case *ast.BinaryExpr:
		switch x.Op {
		case token.LAND:
			if whole {
				e = m.never(e, m.at(x))
			}
			x.X, x.Y = m.part(x.X, token.LAND), m.part(x.Y, token.LAND)
			return e
		case token.LOR:
			if whole {
				e = m.always(e, m.at(x))
			}
			x.X, x.Y = m.part(x.X, token.LOR), m.part(x.Y, token.LOR)
			return e
		}
	}
	if tv := m.info.Types[e]; tv.Value != nil {
		return e
	}
	at := m.at(e)
	return m.never(m.always(m.leaf(e), at), at)
}

// part changes one operand of && or ||.
func (m *mutator) part(e ast.Expr, op token.Token) ast.Expr {
	inner := e
	for p, ok := inner.(*ast.ParenExpr); ok; p, ok = inner.(*ast.ParenExpr) {
		inner = p.X
	}
	if x, ok := inner.(*ast.BinaryExpr); ok && x.Op == op {
		x.X, x.Y = m.part(x.X, op), m.part(x.Y, op)
		return e
	}
	at := m.at(e)
	var changed ast.Expr
	if x, ok := inner.(*ast.BinaryExpr); ok && (x.Op == token.LAND || x.Op == token.LOR) {
		changed = m.cond(e, false)
	} else {
		changed = m.leaf(e)
	}
	if op == token.LAND {
		return m.always(changed, at)
	}
	return m.never(changed, at)
}

func (m *mutator) always(e ast.Expr, source place) ast.Expr {
	return &ast.ParenExpr{X: &ast.BinaryExpr{X: m.on(source, "always"), Op: token.LOR, Y: &ast.ParenExpr{X: e}}}
}

func (m *mutator) never(e ast.Expr, source place) ast.Expr {
	off := &ast.UnaryExpr{Op: token.NOT, X: m.on(source, "never")}
	return &ast.ParenExpr{X: &ast.BinaryExpr{X: off, Op: token.LAND, Y: &ast.ParenExpr{X: e}}}
}

// leaf changes what is compared, and the bound.
func (m *mutator) leaf(e ast.Expr) ast.Expr {
	for {
		p, ok := e.(*ast.ParenExpr)
		if !ok {
			break
		}
		e = p.X
	}
	x, ok := e.(*ast.BinaryExpr)
	if !ok {
		return m.operand(e)
	}
	other, has := bounds[x.Op]
	if !has || !isNumber(m.info.Types[x.X].Type) {
		x.X, x.Y = m.operand(x.X), m.operand(x.Y)
		return x
	}
	on := m.on(m.at(x), "bound")
	x.X, x.Y = m.operand(x.X), m.operand(x.Y)
	changed := &ast.BinaryExpr{X: x.X, Op: other, Y: x.Y}
	return choose("bool", on, changed, x)
}

// operand changes what an expression that is no condition is made of.
func (m *mutator) operand(e ast.Expr) ast.Expr {
	switch x := e.(type) {
	case *ast.ParenExpr:
		x.X = m.expr(x.X)
	case *ast.UnaryExpr:
		if x.Op != token.AND || !addressed(x.X) {
			x.X = m.expr(x.X)
		} else if lit, ok := x.X.(*ast.CompositeLit); ok {
			m.operand(lit)
		}
	case *ast.BinaryExpr:
		return m.sum(x)
	case *ast.CallExpr:
		return m.call(x)
	case *ast.SelectorExpr:
		if m.info.Types[x.X].IsValue() {
			x.X = m.operand(x.X)
		}
	case *ast.IndexExpr:
		if m.info.Types[x.Index].IsValue() {
			x.Index = m.expr(x.Index)
		}
	case *ast.SliceExpr:
		for _, at := range []*ast.Expr{&x.Low, &x.High, &x.Max} {
			if *at != nil {
				*at = m.expr(*at)
			}
		}
	case *ast.CompositeLit:
		for i, e := range x.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				kv.Value = m.expr(kv.Value)
			} else {
				x.Elts[i] = m.expr(e)
			}
		}
	case *ast.FuncLit:
		m.block(x.Body, x.Type.Results.NumFields() > 0)
	}
	return e
}

func addressed(e ast.Expr) bool {
	switch e.(type) {
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr, *ast.StarExpr, *ast.CompositeLit:
		return true
	}
	return false
}

func (m *mutator) sum(x *ast.BinaryExpr) ast.Expr {
	if m.isCond(x) {
		return m.cond(x, true)
	}
	tv := m.info.Types[x]
	other, has := sums[x.Op]
	if !has || tv.Value != nil || !isNumber(tv.Type) || !m.canName(tv.Type) {
		if tv.Value == nil {
			x.X, x.Y = m.expr(x.X), m.expr(x.Y)
		}
		return x
	}
	on := m.on(m.at(x), "arithmetic")
	x.X, x.Y = m.expr(x.X), m.expr(x.Y)
	return choose(m.typeName(tv.Type), on, &ast.BinaryExpr{X: x.X, Op: other, Y: x.Y}, x)
}

func (m *mutator) call(x *ast.CallExpr) ast.Expr {
	x.Fun = m.operand(x.Fun)
	f, named := x.Fun.(*ast.Ident)
	builtin := false
	if named {
		_, builtin = m.info.Uses[f].(*types.Builtin)
	}
	if builtin && (f.Name == "make" || f.Name == "new") {
		return x // how large it is at first
	}
	tv := m.info.Types[x]
	if !builtin || f.Name != "min" && f.Name != "max" || len(x.Args) != 2 || tv.Value != nil || !m.canName(tv.Type) {
		m.exprs(x.Args)
		return x
	}
	at := m.at(x)
	first, second := m.on(at, "first"), m.on(at, "second")
	m.exprs(x.Args)
	t := m.typeName(tv.Type)
	return choose(t, first, x.Args[0], choose(t, second, x.Args[1], x))
}

func (m *mutator) typeName(t types.Type) string {
	return types.TypeString(types.Default(t), func(other *types.Package) string {
		if other.Path() == m.path {
			return ""
		}
		return other.Name()
	})
}

// canName reports whether the file can name a type.
func (m *mutator) canName(t types.Type) bool {
	named, ok := types.Default(t).(*types.Named)
	return !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() == m.path || m.imports[named.Obj().Pkg().Name()]
}

// choose returns one of two expressions of a type.
func choose(t string, on, then, otherwise ast.Expr) ast.Expr {
	result := func(e ast.Expr) ast.Stmt { return &ast.ReturnStmt{Results: []ast.Expr{e}} }
	return &ast.CallExpr{Fun: &ast.FuncLit{
		Type: &ast.FuncType{Params: &ast.FieldList{}, Results: &ast.FieldList{List: []*ast.Field{{Type: ast.NewIdent(t)}}}},
		Body: &ast.BlockStmt{List: []ast.Stmt{&ast.IfStmt{Cond: on, Body: &ast.BlockStmt{List: []ast.Stmt{result(then)}}}, result(otherwise)}},
	}}
}
