package kit

import (
	"context"
	"maps"
	"sync"
	"testing"

	"github.com/praveenduddu/cachemesh"
)

// An Origin is rows that can be loaded and written. Its methods are called concurrently.
type Origin struct {
	mu      sync.Mutex // guards Rows and Deletes
	Rows    map[string]string
	Deletes int
	Block   chan struct{} // Store waits for it if it is not nil
	Entered chan struct{} // Store sends here before
}

// Store is a Writer's.
func (tb *Origin) Store(_ context.Context, key, v string) error {
	if tb.Block != nil {
		tb.Entered <- struct{}{}
		<-tb.Block
	}
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.Rows[key] = v
	return nil
}

// Delete is a Writer's.
func (tb *Origin) Delete(_ context.Context, key string) error {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.Deletes++
	delete(tb.Rows, key)
	return nil
}

// Load is a loader.
func (tb *Origin) Load(_ context.Context, key string) (string, error) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if v, ok := tb.Rows[key]; ok {
		return v, nil
	}
	return "", cachemesh.ErrNotFound
}

// A Database is an origin with both directions, which sees what runs beside the write of
// a key. Its methods are called concurrently.
type Database struct {
	mu      sync.Mutex // guards the fields below
	Rows    map[string]string
	before  func(ctx context.Context, key string) error // nil, or runs ahead of each write
	writing map[string]bool
	Writes  int
	Loads   int
	overlap string // what ran beside a write of the same key
	Shared  bool   // loads may, whose value is not kept or is forgotten when the write ends
}

// NewDatabase returns a Database without rows.
func NewDatabase() *Database {
	return &Database{Rows: make(map[string]string), writing: make(map[string]bool)}
}

// Load is a loader.
func (d *Database) Load(_ context.Context, key string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Loads++
	if d.writing[key] && !d.Shared {
		d.overlap = "a load of " + key
	}
	if v, ok := d.Rows[key]; ok {
		return v, nil
	}
	return "", cachemesh.ErrNotFound
}

// Store is a Writer's.
func (d *Database) Store(ctx context.Context, key, v string) error {
	return d.write(ctx, key, func() { d.Rows[key] = v })
}

// Delete is a Writer's.
func (d *Database) Delete(ctx context.Context, key string) error {
	return d.write(ctx, key, func() { delete(d.Rows, key) })
}

func (d *Database) write(ctx context.Context, key string, commit func()) error {
	d.mu.Lock()
	d.Writes++
	if d.writing[key] {
		d.overlap = "a write of " + key
	}
	d.writing[key] = true
	before := d.before
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.writing[key] = false
	}()
	if before != nil {
		if err := before(ctx, key); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	commit()
	return nil
}

// Before sets what runs ahead of each write; nil: nothing.
func (d *Database) Before(before func(context.Context, string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.before = before
}

// Put writes a row behind the mesh's back.
func (d *Database) Put(key, v string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Rows[key] = v
}

// GiveUp takes the write of a key that runs for ended: what runs beside it is no overlap.
func (d *Database) GiveUp(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writing[key] = false
}

// Row returns a row, "" if there is none.
func (d *Database) Row(key string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.Rows[key]
}

// WantEqual checks that every member sees what the database has.
func (d *Database) WantEqual(t *testing.T, groups []*cachemesh.Group[string], keys ...string) {
	t.Helper()
	for i, g := range groups {
		got, err := g.GetMany(Context(t), keys)
		want := make(map[string]string)
		for _, key := range keys {
			if v := d.Row(key); v != "" {
				want[key] = v
			}
		}
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("node%d sees %v, %v; the database has %v", i, got, err, want)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.overlap != "" {
		t.Errorf("%s ran beside a write", d.overlap)
	}
}
