package house_test

import (
	"go/ast"
	"go/token"
	"slices"
)

// declarations are what a package declares, by the files that do.
type declarations struct {
	names   map[string][]string            // files of each package-level name; several with build tags
	methods map[string]map[string]string   // type, method: file
	fields  map[string]map[string]ast.Expr // struct, field: type; "" for those of no name
	embeds  map[string][]ast.Expr          // struct: embedded types
	members map[string]int                 // how many methods, fields and methods of interfaces have a name
	results map[string]ast.Expr            // function: its one result
}

// references returns which files of a package each file refers to, by what is declared there.
// It goes by names, since type-checking takes too long here. Package-level names are exact, in
// whatever way they are used. A method is found where it is called on what the function's
// parameters, receiver and plain variables lead to by fields of types of this package, or where
// nothing else in the package has its name and other packages cannot see it. It does not see methods
// of the results of methods, of ranges and of elements, nor what is reached through types of
// other packages; and of fields it sees the struct's type alone.
func references(files map[string]*ast.File) map[string]map[string]bool {
	d := declared(files)
	refs := make(map[string]map[string]bool)
	for name, f := range files {
		refs[name] = make(map[string]bool)
		add := func(file string) {
			if file != "" && file != name {
				refs[name][file] = true
			}
		}
		for _, id := range f.Unresolved {
			for _, file := range d.names[id.Name] {
				add(file)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				for _, id := range constantKeys(n) {
					for _, file := range d.names[id.Name] {
						add(file)
					}
				}
			case *ast.SelectorExpr:
				add(d.methodFile(n))
			}
			return true
		})
	}
	return refs
}

// constantKeys returns the keys of a map or an array that are names, which the parser leaves
// out: they could be fields.
func constantKeys(lit *ast.CompositeLit) (keys []*ast.Ident) {
	switch lit.Type.(type) {
	case *ast.MapType, *ast.ArrayType:
	default:
		return nil
	}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok && id.Obj == nil {
				keys = append(keys, id)
			}
		}
	}
	return keys
}

func declared(files map[string]*ast.File) *declarations {
	d := &declarations{
		names: make(map[string][]string), methods: make(map[string]map[string]string), fields: make(map[string]map[string]ast.Expr),
		embeds: make(map[string][]ast.Expr), members: make(map[string]int), results: make(map[string]ast.Expr),
	}
	for name, f := range files {
		d.countMembers(f)
		for _, decl := range f.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				d.addFunc(name, decl)
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						d.addType(name, spec)
					case *ast.ValueSpec:
						for _, id := range spec.Names {
							d.addName(id.Name, name)
						}
					}
				}
			}
		}
	}
	return d
}

// countMembers counts the fields and the methods of interfaces, of types without a name too.
func (d *declarations) countMembers(f *ast.File) {
	count := func(list *ast.FieldList) {
		for _, f := range list.List {
			for _, id := range f.Names {
				d.members[id.Name]++
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.StructType:
			count(n.Fields)
		case *ast.InterfaceType:
			count(n.Methods)
		}
		return true
	})
}

func (d *declarations) addName(name, file string) {
	if name != "_" && name != "init" && !slices.Contains(d.names[name], file) {
		d.names[name] = append(d.names[name], file)
	}
}

func (d *declarations) addFunc(file string, decl *ast.FuncDecl) {
	if decl.Recv == nil {
		d.addName(decl.Name.Name, file)
		if r := decl.Type.Results; r != nil && len(r.List) == 1 && len(r.List[0].Names) <= 1 {
			d.results[decl.Name.Name] = r.List[0].Type
		}
		return
	}
	typ := named(decl.Recv.List[0].Type)
	if d.methods[typ] == nil {
		d.methods[typ] = make(map[string]string)
	}
	d.methods[typ][decl.Name.Name] = file
	d.members[decl.Name.Name]++
}

func (d *declarations) addType(file string, spec *ast.TypeSpec) {
	name := spec.Name.Name
	d.addName(name, file)
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	d.fields[name] = make(map[string]ast.Expr)
	for _, f := range s.Fields.List {
		for _, id := range f.Names {
			d.fields[name][id.Name] = f.Type
		}
		if len(f.Names) == 0 {
			d.embeds[name] = append(d.embeds[name], f.Type)
			d.fields[name][named(f.Type)] = f.Type
		}
	}
}

// methodFile returns the file of the method that an expression selects, "" if it is none or
// nobody can tell.
func (d *declarations) methodFile(sel *ast.SelectorExpr) string {
	name := sel.Sel.Name
	if typ := d.typeOf(sel.X); typ != "" {
		file, _ := d.member(typ, name)
		return file
	}
	if token.IsExported(name) || d.members[name] != 1 {
		return ""
	}
	for _, methods := range d.methods {
		if file := methods[name]; file != "" {
			return file
		}
	}
	return ""
}

// member returns the file of a type's method, or the type of its field, its own or of what it
// embeds.
func (d *declarations) member(typ, name string) (method string, field ast.Expr) {
	for level, next := []string{typ}, []string(nil); len(level) > 0; level, next = next, nil {
		for _, t := range level {
			if file, ok := d.methods[t][name]; ok {
				return file, nil
			}
			if field, ok := d.fields[t][name]; ok {
				return "", field
			}
			for _, e := range d.embeds[t] {
				if inner := named(e); inner != "" {
					next = append(next, inner)
				}
			}
		}
	}
	return "", nil
}

// typeOf returns which type of the package an expression has, or points to; "" for others, and
// where that is not plain to see.
func (d *declarations) typeOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return d.typeOf(e.X)
	case *ast.StarExpr:
		return d.typeOf(e.X)
	case *ast.UnaryExpr:
		return d.typeOf(e.X)
	case *ast.CompositeLit:
		return d.own(e.Type)
	case *ast.CallExpr:
		if id, ok := e.Fun.(*ast.Ident); ok {
			if id.Name == "new" && len(e.Args) == 1 {
				return d.own(e.Args[0])
			}
			return d.own(d.results[id.Name])
		}
	case *ast.SelectorExpr:
		if typ := d.typeOf(e.X); typ != "" {
			_, field := d.member(typ, e.Sel.Name)
			return d.own(field)
		}
	case *ast.Ident:
		if e.Obj == nil {
			return ""
		}
		switch decl := e.Obj.Decl.(type) {
		case *ast.Field:
			return d.own(decl.Type)
		case *ast.ValueSpec:
			return d.own(decl.Type)
		case *ast.AssignStmt:
			for i, left := range decl.Lhs {
				if id, ok := left.(*ast.Ident); ok && id.Name == e.Name && len(decl.Lhs) == len(decl.Rhs) {
					if inner, same := decl.Rhs[i].(*ast.Ident); !same || inner.Obj != e.Obj {
						return d.typeOf(decl.Rhs[i])
					}
				}
			}
		}
	}
	return ""
}

// own returns the name of a type if it is of the package.
func (d *declarations) own(typ ast.Expr) string {
	if name := named(typ); len(d.names[name]) > 0 {
		return name
	}
	return ""
}

// named returns the name of a type, or of what it points to, without its arguments; "" for a
// type of another package or without a name.
func named(typ ast.Expr) string {
	switch t := typ.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.StarExpr:
		return named(t.X)
	case *ast.ParenExpr:
		return named(t.X)
	case *ast.IndexExpr:
		return named(t.X)
	case *ast.IndexListExpr:
		return named(t.X)
	}
	return ""
}
