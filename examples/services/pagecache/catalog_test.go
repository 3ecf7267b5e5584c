package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/examples/services/internal/mesh"
)

// TestVersionedKeys: after a change no member shows a page from before, other tenants' pages
// stay, and a page is rendered once in the mesh.
func TestVersionedKeys(t *testing.T) {
	d, catalogs := newDatabase(), make([]*catalog, members)
	m, err := mesh.Start(members, func(i int, n *cachemesh.Node) (err error) {
		catalogs[i], err = openCatalog(n, d)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	for i := range 30 {
		article := fmt.Sprint("article ", i)
		if err := catalogs[i%members].change(t.Context(), "acme", article); err != nil {
			t.Fatal(err)
		}
		before := d.renders.Load()
		for _, c := range catalogs {
			page, err := c.page(t.Context(), "acme", 1)
			if err != nil || !strings.HasSuffix(page, article) {
				t.Fatalf("after %q the page is %q, %v", article, page, err)
			}
			if _, err := c.page(t.Context(), "globex", 1); err != nil {
				t.Fatal(err)
			}
		}
		want := int64(1)
		if i == 0 {
			want = 2 // that of globex
		}
		if got := d.renders.Load() - before; got != want {
			t.Errorf("after change %d pages were rendered %d times, want %d", i, got, want)
		}
	}
}
