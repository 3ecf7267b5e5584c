package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// A pkg is a package with its types, but for its tests.
type pkg struct {
	dir, name, path string
	outer           []string // test files of package x_test
	fset            *token.FileSet
	files           map[string]*ast.File // by path
	sources         map[string][]byte
	info            *types.Info
}

type listed struct {
	Dir, ImportPath, Name, Export string
	GoFiles, XTestGoFiles         []string
	DepOnly                       bool
}

// load parses the package in a directory and finds out its types, with those of its
// imports as the compiler has them.
func load(dir string) (*pkg, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=Dir,ImportPath,Name,Export,GoFiles,XTestGoFiles,DepOnly", ".")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	exports := make(map[string]string)
	var self listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if exports[l.ImportPath] = l.Export; !l.DepOnly {
			self = l
		}
	}
	p := &pkg{
		dir: self.Dir, name: self.Name, path: self.ImportPath, outer: self.XTestGoFiles, fset: token.NewFileSet(),
		files: make(map[string]*ast.File), sources: make(map[string][]byte),
		info: &types.Info{Types: make(map[ast.Expr]types.TypeAndValue), Uses: make(map[*ast.Ident]types.Object)},
	}
	return p, p.parse(self.GoFiles, exports)
}

func (p *pkg) parse(names []string, exports map[string]string) error {
	var files []*ast.File
	for _, name := range names {
		path := filepath.Join(p.dir, name)
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// Without comments: they would land at wrong places in what is written out.
		f, err := parser.ParseFile(p.fset, path, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		p.files[path], p.sources[path] = f, source
		files = append(files, f)
	}
	conf := types.Config{Importer: importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(exports[path])
	})}
	_, err := conf.Check(p.path, p.fset, files, p.info)
	return err
}

// text returns the source of a node on one line.
func (p *pkg) text(n ast.Node) string {
	from, to := p.fset.Position(n.Pos()), p.fset.Position(n.End())
	line := bytes.Join(bytes.Fields(p.sources[from.Filename][from.Offset:to.Offset]), []byte(" "))
	if len(line) > 90 {
		line = append(line[:90:90], "…"...)
	}
	return string(bytes.ToValidUTF8(line, nil))
}
