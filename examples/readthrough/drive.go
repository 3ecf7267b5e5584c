package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// A driver asks the members for places, compares every answer with the row in
// the database, and measures.
type driver struct {
	clients []*client
	places  []Place // what is in the database, the largest first
	asked   []atomic.Bool
	done    atomic.Int64
	hits    atomic.Int64
	seen    [kinds]samples // guarded by merging
	merging sync.Mutex
}

func newDriver(clients []*client, places []Place) *driver {
	return &driver{clients: clients, places: places, asked: make([]atomic.Bool, len(places))}
}

// seed makes every run ask the same.
const seed = 20200318

// zipfExponent is a usual choice for what people look up: the most popular of
// 24 323 places draws about a seventh of all look-ups.
const zipfExponent = 1.1

// popular makes n look-ups: the larger a place, the more often. Each goes to the
// next member in turn.
func (d *driver) popular(ctx context.Context, n int) error {
	var next atomic.Int64
	return d.crew(ctx, callersPerMember*len(d.clients), func(ctx context.Context, w *worker) error {
		r := rand.New(rand.NewPCG(seed, uint64(w.id)))
		zipf := rand.NewZipf(r, zipfExponent, 1, uint64(len(d.places)-1))
		for {
			turn := next.Add(1) - 1
			if turn >= int64(n) {
				return nil
			}
			if err := w.look(ctx, d.clients[int(turn)%len(d.clients)], int(zipf.Uint64())); err != nil {
				return err
			}
		}
	})
}

// everything asks every member for every place, in one shuffled order, all
// members at the same time.
func (d *driver) everything(ctx context.Context) error {
	order := rand.New(rand.NewPCG(seed, 0)).Perm(len(d.places))
	next := make([]atomic.Int64, len(d.clients))
	return d.crew(ctx, callersPerMember*len(d.clients), func(ctx context.Context, w *worker) error {
		member := w.id % len(d.clients)
		for {
			turn := next[member].Add(1) - 1
			if turn >= int64(len(order)) {
				return nil
			}
			if err := w.look(ctx, d.clients[member], order[turn]); err != nil {
				return err
			}
		}
	})
}

// crew runs work in n goroutines and waits for them. The first error ends all.
func (d *driver) crew(ctx context.Context, n int, work func(context.Context, *worker) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var working sync.WaitGroup
	for id := range n {
		working.Go(func() {
			w := &worker{driver: d, id: id}
			if err := work(ctx, w); err != nil {
				cancel(err)
			}
			w.merge()
		})
	}
	working.Wait()
	return context.Cause(ctx)
}

// distinct returns how many different places were asked for.
func (d *driver) distinct() int {
	n := 0
	for i := range d.asked {
		if d.asked[i].Load() {
			n++
		}
	}
	return n
}

// A worker is one caller. It belongs to one goroutine.
type worker struct {
	driver *driver
	id     int
	seen   [kinds]samples
}

// look asks a member for the place of a rank and checks the answer.
func (w *worker) look(ctx context.Context, c *client, rank int) error {
	d := w.driver
	want := d.places[rank]
	l, err := c.place(ctx, want.ID)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("look-up of place %d: %w", want.ID, err)
	}
	if l.place != want {
		return fmt.Errorf("%s answered %+v, the database has %+v", c.name, l.place, want)
	}
	if l.answered == "" || l.loadedBy == "" {
		return errors.New("an answer does not say who gave it: " + c.base)
	}
	k := l.kind()
	w.seen[k].get = append(w.seen[k].get, l.get)
	w.seen[k].total = append(w.seen[k].total, l.total)
	d.asked[rank].Store(true)
	d.done.Add(1)
	if k != waited {
		d.hits.Add(1)
	}
	return nil
}

// merge hands the worker's measurements to the driver.
func (w *worker) merge() {
	d := w.driver
	d.merging.Lock()
	defer d.merging.Unlock()
	for k := range w.seen {
		d.seen[k].add(w.seen[k])
	}
}

// progress says how far a phase of n look-ups that began at look-up number from is.
func (d *driver) progress(from, n int64, start time.Time) string {
	done := d.done.Load() - from
	rate := float64(done) / max(time.Since(start).Seconds(), 1e-9)
	return fmt.Sprintf("%s of %s look-ups, %s/s, %.1f %% of all so far from memory",
		thousands(done), thousands(n), thousands(int64(rate)), 100*float64(d.hits.Load())/float64(max(d.done.Load(), 1)))
}
