// Package comingfrom has one service over a table of users on each of several caches, and on
// CacheMesh: what docs/coming-from.md shows.
package comingfrom

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A table is the database.
type table struct {
	reads atomic.Int64
	mu    sync.Mutex // guards rows
	rows  map[string]string
}

var errNoRow = errors.New("no such row")

func newTable(rows map[string]string) *table { return &table{rows: maps.Clone(rows)} }

func (t *table) read(_ context.Context, id string) (string, error) {
	t.reads.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	row, ok := t.rows[id]
	if !ok {
		return "", errNoRow
	}
	return row, nil
}

func (t *table) update(_ context.Context, id, row string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[id] = row
	return nil
}

// A meshUsers is the service on CacheMesh.
type meshUsers struct {
	db    *table
	group *cachemesh.Group[string]
}

func openMesh(node *cachemesh.Node, db *table) (*meshUsers, error) {
	group, err := cachemesh.NewGroup(node, "users", func(ctx context.Context, id string) (string, error) {
		row, err := db.read(ctx, id)
		if errors.Is(err, errNoRow) {
			err = cachemesh.ErrNotFound
		}
		return row, err
	}, cachemesh.GroupOptions[string]{TTL: time.Minute})
	return &meshUsers{db, group}, err
}

func (u *meshUsers) get(ctx context.Context, id string) (string, error) {
	return u.group.Get(ctx, id)
}

func (u *meshUsers) change(ctx context.Context, id, row string) error {
	if err := u.db.update(ctx, id, row); err != nil {
		return err
	}
	return u.group.Delete(ctx, id)
}
