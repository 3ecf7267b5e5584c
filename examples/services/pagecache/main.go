// Command pagecache renders pages of several tenants once, for three members, and forgets
// just those that a change is about: all of a template, or all of a tenant.
//
//	go run .
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/examples/services/internal/mesh"
)

const (
	members = 3
	each    = 40 // pages of a tenant
)

var tenants = []string{"acme", "globex", "initech"}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// A Page is what a browser gets.
type Page struct {
	Tenant, Template, HTML string
}

// tags are what a page is made of: whatever changes, its pages are found by that.
func tags(_ string, p Page) []string {
	return []string{"tenant:" + p.Tenant, "template:" + p.Template}
}

func run(ctx context.Context, out io.Writer) (err error) {
	s := newSite()
	groups := make([]*cachemesh.Group[Page], members)
	m, err := mesh.Start(members, func(i int, n *cachemesh.Node) (err error) {
		groups[i], err = cachemesh.NewGroup(n, "pages", s.render, cachemesh.GroupOptions[Page]{
			Tags: tags,
		})
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Stop()) }()

	step := func(what string) error {
		before := s.renders.Load()
		if err := visit(ctx, s, groups); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out, "%-40s %4d pages rendered\n", what, s.renders.Load()-before)
		return err
	}
	if err := step("first visit of everything"); err != nil {
		return err
	}
	if err := step("second visit"); err != nil {
		return err
	}
	s.change("article")
	if err := groups[0].DeleteTag(ctx, "template:article"); err != nil {
		return err
	}
	if err := step("after the article template changed"); err != nil {
		return err
	}
	s.change("acme")
	if err := groups[1].DeleteTag(ctx, "tenant:acme"); err != nil {
		return err
	}
	if err := step("after acme changed its logo"); err != nil {
		return err
	}
	if err := groups[2].DeletePrefix(ctx, "globex/list/"); err != nil {
		return err
	}
	listed := 0
	for item, err := range cachemesh.ScanAll(ctx, groups[0], cachemesh.ScanQuery{Prefix: "globex/"}) {
		if err != nil {
			return err
		}
		if strings.HasPrefix(item.Key, "globex/list/") {
			return fmt.Errorf("%s was deleted", item.Key)
		}
		listed++
	}
	_, err = fmt.Fprintf(out, "%-40s %4d pages left\n", "globex, its lists deleted", listed)
	return err
}

// visit gets every page through every member. None may be older than the last change.
func visit(ctx context.Context, s *site, groups []*cachemesh.Group[Page]) error {
	for _, path := range paths() {
		for i, g := range groups {
			p, err := g.Get(ctx, path)
			if err != nil {
				return err
			}
			if want := s.html(path); p.HTML != want {
				return fmt.Errorf("%s through member %d: %q, want %q", path, i, p.HTML, want)
			}
		}
	}
	return nil
}
