package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh"
)

// A site renders pages of tenants from templates, which change.
type site struct {
	renders atomic.Int64

	mu       sync.Mutex     // guards versions
	versions map[string]int // of tenants and templates
}

func newSite() *site { return &site{versions: make(map[string]int)} }

// paths are those of all pages: tenant, template and number. Every fourth is a list.
func paths() []string {
	var all []string
	for _, tenant := range tenants {
		for i := range each {
			template := "article"
			if i%4 == 0 {
				template = "list"
			}
			all = append(all, fmt.Sprintf("%s/%s/%d", tenant, template, i))
		}
	}
	return all
}

// change changes a tenant or a template.
func (s *site) change(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions[what]++
}

// html is what a page says now.
func (s *site) html(path string) string {
	part := strings.SplitN(path, "/", 3)
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("<h1>%s %d</h1> %s %d: %s", part[0], s.versions[part[0]], part[1], s.versions[part[1]], part[2])
}

// render is the group's loader.
func (s *site) render(_ context.Context, path string) (Page, error) {
	part := strings.SplitN(path, "/", 3)
	if len(part) != 3 {
		return Page{}, cachemesh.ErrNotFound
	}
	s.renders.Add(1)
	return Page{Tenant: part[0], Template: part[1], HTML: s.html(path)}, nil
}
