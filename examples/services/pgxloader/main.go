// Command pgxloader reads a PostgreSQL table through a cache over three members,
// with as few queries as there are owners. It makes a small table of its own,
// cachemesh_products, and drops it in the end.
//
//	go run . -dsn postgres://user@host/database
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/examples/services/internal/mesh"
)

const (
	members  = 3
	products = 1000
)

func main() {
	dsn := flag.String("dsn", os.Getenv("CACHEMESH_POSTGRES_DSN"), "PostgreSQL database; default: $CACHEMESH_POSTGRES_DSN")
	flag.Parse()
	if *dsn == "" {
		fmt.Fprintln(os.Stderr, "pgxloader: a PostgreSQL database is needed: -dsn postgres://user@host/database")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Stdout, *dsn); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer, dsn string) (err error) {
	db, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := makeTable(ctx, db); err != nil {
		return err
	}
	defer func() {
		_, dropErr := db.Exec(ctx, "DROP TABLE cachemesh_products")
		err = errors.Join(err, dropErr)
	}()
	l := &loader{Queries: New(db)}
	groups := make([]*cachemesh.Group[CachemeshProduct], members)
	m, err := mesh.Start(members, func(i int, n *cachemesh.Node) (err error) {
		groups[i], err = cachemesh.NewGroup[CachemeshProduct](n, "products", nil, cachemesh.GroupOptions[CachemeshProduct]{
			LoadMany:    l.loadMany(),
			BatchWindow: time.Millisecond, // single Gets that come together share a query, too
			MaxLoads:    4,                // queries at once, on each member
			TTL:         10 * time.Minute,
			TTLJitter:   0.1,
			NotFoundTTL: time.Minute,
		})
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Stop()) }()
	for _, show := range []func(context.Context, io.Writer, []*cachemesh.Group[CachemeshProduct], *loader) error{showBatch, showWindow, showChange} {
		if err := show(ctx, out, groups, l); err != nil {
			return err
		}
	}
	return nil
}

func makeTable(ctx context.Context, db *pgxpool.Pool) error {
	_, err := db.Exec(ctx, `DROP TABLE IF EXISTS cachemesh_products;
		CREATE TABLE cachemesh_products (id BIGINT PRIMARY KEY, name TEXT NOT NULL, cents BIGINT NOT NULL);
		INSERT INTO cachemesh_products SELECT i, 'product ' || i, 100 * i FROM generate_series(1, `+strconv.Itoa(products)+`) AS i`)
	return err
}

// showBatch gets many products at once, from every member.
func showBatch(ctx context.Context, out io.Writer, groups []*cachemesh.Group[CachemeshProduct], l *loader) error {
	var keys []string
	for id := 1; id <= 510; id++ {
		keys = append(keys, strconv.Itoa(products-500+id)) // the last ten do not exist
	}
	for i, g := range groups {
		before := l.queries.Load()
		found, err := g.GetMany(ctx, keys)
		if err != nil {
			return err
		}
		if len(found) != 500 || found["600"].Name != "product 600" {
			return fmt.Errorf("member %d found %d products", i, len(found))
		}
		fmt.Fprintf(out, "GetMany of %d ids on member %d: %d products, %d queries\n", len(keys), i, len(found), l.queries.Load()-before)
	}
	return nil
}

// showWindow gets other products one by one, as many requests at once would.
func showWindow(ctx context.Context, out io.Writer, groups []*cachemesh.Group[CachemeshProduct], l *loader) error {
	const n = 500
	before := l.queries.Load()
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { _, errs[i] = groups[i%members].Get(ctx, strconv.Itoa(i+1)) })
	}
	all.Wait()
	fmt.Fprintf(out, "%d single Gets at once on %d members: %d queries\n", n, members, l.queries.Load()-before)
	return errors.Join(errs...)
}

// showChange changes a row, tells the mesh, and sees the change everywhere.
func showChange(ctx context.Context, out io.Writer, groups []*cachemesh.Group[CachemeshProduct], l *loader) error {
	if err := l.SetPrice(ctx, SetPriceParams{Cents: 1, ID: 7}); err != nil {
		return err
	}
	if err := groups[0].Delete(ctx, "7"); err != nil {
		return err
	}
	for i, g := range groups {
		p, err := g.Get(ctx, "7")
		if err != nil {
			return err
		}
		if p.Cents != 1 {
			return fmt.Errorf("member %d sees the old price, %d", i, p.Cents)
		}
	}
	fmt.Fprintln(out, "after a change and a Delete all members see the new price")
	return nil
}
