package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh"
)

// A catalog has versioned keys in place of tags: the version of a tenant is part of the keys
// of its pages, and every change raises it. One instance of the service has one.
type catalog struct {
	*database
	versions *cachemesh.Group[int]
	pages    *cachemesh.Group[string]
}

// A database has what the catalog shows, and is shared by all instances.
type database struct {
	mu       sync.Mutex // guards what follows: a transaction
	version  map[string]int
	articles map[string][]string
	renders  atomic.Int64
}

func newDatabase() *database {
	return &database{version: make(map[string]int), articles: make(map[string][]string)}
}

// openCatalog registers the two groups with a node.
func openCatalog(node *cachemesh.Node, d *database) (*catalog, error) {
	c := &catalog{database: d}
	var err error
	c.versions, err = cachemesh.NewGroup(node, "versions", d.readVersion, cachemesh.GroupOptions[int]{})
	if err != nil {
		return nil, err
	}
	c.pages, err = cachemesh.NewGroup(node, "catalog", d.renderPage, cachemesh.GroupOptions[string]{MaxBytes: 8 << 20})
	return c, err
}

// page returns a page of a tenant's articles.
func (c *catalog) page(ctx context.Context, tenant string, number int) (string, error) {
	version, err := c.versions.Get(ctx, tenant) // SELECT version FROM tenants WHERE id = $1
	if err != nil {
		return "", err
	}
	return c.pages.Get(ctx, fmt.Sprintf("%s/%d/%d", tenant, version, number))
}

// change changes what a tenant's pages show, and raises the version in the same transaction.
func (c *catalog) change(ctx context.Context, tenant, article string) error {
	c.commit(tenant, article) // UPDATE tenants SET version = version + 1 WHERE id = $1, and the articles
	return c.versions.Delete(ctx, tenant)
}

func (d *database) commit(tenant, article string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.version[tenant]++
	d.articles[tenant] = append(d.articles[tenant], article)
}

func (d *database) readVersion(_ context.Context, tenant string) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.version[tenant], nil
}

// renderPage is the loader of pages. It shows what is there now, whatever version the key has.
func (d *database) renderPage(_ context.Context, key string) (string, error) {
	tenant, _, _ := strings.Cut(key, "/")
	d.renders.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.articles[tenant], ", "), nil
}
