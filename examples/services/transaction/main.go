// Command transaction changes two rows in one transaction, and has the mesh forget them after
// COMMIT: also for callers that are gone by then, and for instances that end in between. While
// all members do that, each looks whether another serves what was there before.
//
//	go run . [-transfers 1200]
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/examples/services/internal/mesh"
)

const (
	members  = 3
	clients  = 6
	accounts = 20
	opening  = 10_000 // cents of each account
)

func main() {
	transfers := flag.Int("transfers", 1200, "transfers in all")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *transfers); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer, transfers int) (err error) {
	dir, err := os.MkdirTemp("", "cachemesh-transaction-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := openDB(ctx, dir)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := open(ctx, db); err != nil {
		return err
	}
	banks := make([]*bank, members)
	m, err := mesh.Start(members, func(i int, n *cachemesh.Node) error {
		g, err := cachemesh.NewGroup(n, "accounts", loader(db), cachemesh.GroupOptions[Account]{
			TTL: time.Minute, // the last bound, for what nobody could tell the mesh
		})
		banks[i] = &bank{db: db, accounts: g}
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Stop()) }()

	t := &trial{db: db, banks: banks}
	if err := t.traffic(ctx, transfers); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d transfers, and of %d the caller was gone before the answer: %d old answers\n", t.done.Load(), t.gone.Load(), t.old.Load())
	if t.old.Load() > 0 {
		return errors.New("a member served what was there before a transfer")
	}
	return t.crash(ctx, out)
}

// open makes the accounts.
func open(ctx context.Context, db *sql.DB) error {
	for i := range accounts {
		if _, err := db.ExecContext(ctx, "INSERT INTO accounts VALUES (?, ?, 0)", id(i), opening); err != nil {
			return err
		}
	}
	return nil
}

func id(i int) string { return fmt.Sprint("account-", i) }

// A trial has all members transfer, and look.
type trial struct {
	db              *sql.DB
	banks           []*bank
	busy            [accounts]sync.Mutex // so that who looks knows what an account must have
	done, gone, old atomic.Int64
}

func (t *trial) traffic(ctx context.Context, transfers int) error {
	errs := make([]error, clients)
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(c)))
			for range transfers / clients {
				if errs[c] = t.one(ctx, rng); errs[c] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// one transfers through one member, and looks through another. One caller in five does not
// wait for the answer.
func (t *trial) one(ctx context.Context, rng *rand.Rand) error {
	a := rng.IntN(accounts - 1)
	b := a + 1 + rng.IntN(accounts-1-a)
	t.busy[a].Lock()
	defer t.busy[a].Unlock()
	t.busy[b].Lock()
	defer t.busy[b].Unlock()
	request, hangUp := context.WithCancel(ctx)
	defer hangUp()
	if rng.IntN(5) == 0 {
		defer time.AfterFunc(time.Duration(rng.Int64N(int64(3*time.Millisecond))), hangUp).Stop()
	}
	err := t.banks[rng.IntN(members)].transfer(request, id(a), id(b), rng.Int64N(100))
	switch {
	case request.Err() != nil:
		t.gone.Add(1) // the rows may have changed or not: the mesh must agree with them
	case err != nil:
		return err
	}
	t.done.Add(1)
	return t.look(ctx, t.banks[rng.IntN(members)], id(a), id(b))
}

// look compares what a member serves with what the database has.
func (t *trial) look(ctx context.Context, b *bank, ids ...string) error {
	for _, id := range ids {
		got, err := b.accounts.Get(ctx, id)
		if err != nil {
			return err
		}
		want, err := loader(t.db)(ctx, id)
		if err != nil {
			return err
		}
		if got != want {
			t.old.Add(1)
		}
	}
	return nil
}

// crash plays an instance that ends between COMMIT and Delete, and another that sweeps.
func (t *trial) crash(ctx context.Context, out io.Writer) error {
	if _, err := t.banks[1].sweep(ctx); err != nil { // what is owed up to now
		return err
	}
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := move(ctx, tx, id(0), id(1), 1); err != nil {
		return err
	}
	if _, err := owe(ctx, tx, id(0), id(1)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	before := t.old.Load()
	if err := t.look(ctx, t.banks[2], id(0), id(1)); err != nil {
		return err
	}
	swept, err := t.banks[1].sweep(ctx)
	if err != nil {
		return err
	}
	after := t.old.Load()
	if err := t.look(ctx, t.banks[2], id(0), id(1)); err != nil {
		return err
	}
	fmt.Fprintf(out, "an instance ended between COMMIT and Delete: %d old answers, then another swept %d keys: %d old answers\n", after-before, swept, t.old.Load()-after)
	return nil
}
