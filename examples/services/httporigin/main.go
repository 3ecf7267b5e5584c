// Command httporigin caches pages of an HTTP server over three members, each for
// as long as its Cache-Control says. It starts the server, too.
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
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/examples/services/internal/mesh"
)

const (
	members = 3
	lasts   = 2500 * time.Millisecond
	pause   = 5 * time.Millisecond
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	origin, err := startOrigin()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, origin.stop()) }()
	f := fetcher{client: origin.client, base: origin.base}
	groups := make([]*cachemesh.Group[Page], members)
	m, err := mesh.Start(members, func(i int, n *cachemesh.Node) (err error) {
		groups[i], err = cachemesh.NewGroup(n, "pages", f.load, cachemesh.GroupOptions[Page]{
			TTLFunc:     func(_ string, p Page) time.Duration { return lifetime(p.CacheControl, p.Age) },
			NotFoundTTL: time.Minute,      // a 404 is asked for once in a minute
			StaleFor:    10 * time.Minute, // if the origin is down
			LoadTimeout: 5 * time.Second,
		})
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Stop()) }()

	start := time.Now()
	gets, err := read(ctx, groups, time.Now().Add(lasts))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d Gets of each page through %d members in %v:\n", gets, members, time.Since(start).Round(100*time.Millisecond))
	fmt.Fprintf(out, "%-10s %-38s %s\n", "page", "Cache-Control", "requests")
	for _, path := range paths() {
		fmt.Fprintf(out, "%-10s %-38s %8d\n", path, pages[path].cacheControl, origin.requests(path))
	}
	return nil
}

func paths() []string {
	all := []string{"/missing"}
	for path := range pages {
		all = append(all, path)
	}
	slices.Sort(all)
	return all
}

// read gets every page through every member, again and again.
func read(ctx context.Context, groups []*cachemesh.Group[Page], until time.Time) (gets int, err error) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for ; time.Now().Before(until); <-tick.C {
		for _, g := range groups {
			gets++
			for _, path := range paths() {
				page, err := g.Get(ctx, path)
				missing := errors.Is(err, cachemesh.ErrNotFound)
				if err != nil && !missing || missing != (path == "/missing") || !missing && page.Body != pages[path].body {
					return gets, fmt.Errorf("%s: %q, %v", path, page.Body, err)
				}
			}
		}
	}
	return gets, nil
}
