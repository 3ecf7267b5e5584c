// Command writethrough keeps a cache over three members and a SQLite table equal
// while all of them write: Set and Delete change the table first, at the owner of
// the key, one at a time per key.
//
//	go run . [-ops 10000]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/examples/services/internal/mesh"
)

const (
	members  = 3
	rounds   = 20
	clients  = 12 // at once in a round
	accounts = 50
)

func main() {
	ops := flag.Int("ops", 10_000, "Sets, Deletes and Gets in all")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *ops); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer, ops int) (err error) {
	dir, err := os.MkdirTemp("", "cachemesh-writethrough-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	table, err := openTable(ctx, filepath.Join(dir, "accounts.db"))
	if err != nil {
		return err
	}
	defer table.db.Close()
	groups := make([]*cachemesh.Group[Account], members)
	m, err := mesh.Start(members, func(i int, n *cachemesh.Node) (err error) {
		groups[i], err = cachemesh.NewGroup(n, "accounts", table.load, cachemesh.GroupOptions[Account]{
			Writer:      table,
			TTL:         time.Hour,
			NotFoundTTL: time.Minute, // safe: a Set ends it at once
		})
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Stop()) }()

	var done counts
	for round := range rounds {
		if err := traffic(ctx, groups, uint64(round), ops/rounds, &done); err != nil {
			return err
		}
		rows, err := compare(ctx, table, groups)
		if err != nil {
			return fmt.Errorf("after round %d: %w", round+1, err)
		}
		fmt.Fprintf(out, "round %2d: %5d operations so far; the table has %2d rows, and all %d members see the same\n", round+1, done.total(), rows, members)
	}
	fmt.Fprintf(out, "%d Gets, %d Sets, %d Deletes made %d reads and %d writes of the table\n",
		done.gets.Load(), done.sets.Load(), done.deletes.Load(), table.reads.Load(), table.writes.Load())
	return nil
}

type counts struct{ gets, sets, deletes atomic.Int64 }

func (c *counts) total() int64 { return c.gets.Load() + c.sets.Load() + c.deletes.Load() }

func key(i int) string { return fmt.Sprint("account-", i) }

// traffic runs one round: clients on all members that read and write the same
// few accounts.
func traffic(ctx context.Context, groups []*cachemesh.Group[Account], seed uint64, ops int, done *counts) error {
	errs := make([]error, clients)
	var all sync.WaitGroup
	for c := range clients {
		n := ops / clients
		if c < ops%clients {
			n++
		}
		all.Go(func() {
			rng, g := rand.New(rand.NewPCG(seed, uint64(c))), groups[c%members]
			for range n {
				if errs[c] = operate(ctx, g, rng, done); errs[c] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func operate(ctx context.Context, g *cachemesh.Group[Account], rng *rand.Rand, done *counts) error {
	k := key(rng.IntN(accounts))
	switch dice := rng.IntN(10); {
	case dice < 6:
		done.gets.Add(1)
		_, err := g.Get(ctx, k)
		if errors.Is(err, cachemesh.ErrNotFound) {
			return nil
		}
		return err
	case dice < 9:
		done.sets.Add(1)
		return g.Set(ctx, k, Account{Owner: k, Cents: rng.Int64N(1_000_000)}, 0)
	default:
		done.deletes.Add(1)
		return g.Delete(ctx, k)
	}
}

// compare checks that every member sees exactly what the table has.
func compare(ctx context.Context, t *table, groups []*cachemesh.Group[Account]) (rows int, err error) {
	want, err := t.all(ctx)
	if err != nil {
		return 0, err
	}
	keys := make([]string, accounts)
	for i := range keys {
		keys[i] = key(i)
	}
	for i, g := range groups {
		got, err := g.GetMany(ctx, keys)
		if err != nil {
			return 0, err
		}
		if !maps.Equal(got, want) {
			return 0, fmt.Errorf("member %d sees %v, the table has %v", i, got, want)
		}
	}
	return len(want), nil
}
