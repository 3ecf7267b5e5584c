package cachemeshtest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
)

// What docs/testing.md shows.

// A rows is a database.
type rows struct {
	reads atomic.Int64
	mu    sync.Mutex // guards names
	names map[string]string
}

func newRows(id, name string) *rows { return &rows{names: map[string]string{id: name}} }

func (r *rows) update(id, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[id] = name
}

func (r *rows) load(_ context.Context, id string) (string, error) {
	r.reads.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	name, ok := r.names[id]
	if !ok {
		return "", cachemesh.ErrNotFound
	}
	return name, nil
}

// A profiles is the service under test: it is given its group, and knows no mesh.
type profiles struct {
	db    *rows
	group *cachemesh.Group[string]
}

func (p *profiles) name(ctx context.Context, id string) (string, error) { return p.group.Get(ctx, id) }

func (p *profiles) rename(ctx context.Context, id, name string) error {
	p.db.update(id, name)
	return p.group.Delete(ctx, id)
}

// newProfiles returns one service for each member of a mesh, on one database.
func newProfiles(c *cachemeshtest.Cluster, db *rows) []*profiles {
	group := cachemeshtest.Group(c, "profiles", func(int) cachemesh.LoaderFunc[string] { return db.load }, cachemesh.GroupOptions[string]{})
	services := make([]*profiles, c.Len())
	for i := range services {
		services[i] = &profiles{db, group(i)}
	}
	return services
}

func TestRenameIsSeenEverywhere(t *testing.T) {
	c, db := cachemeshtest.New(t, 3), newRows("ada", "Ada")
	services := newProfiles(c, db)
	for _, s := range services {
		if name, err := s.name(t.Context(), "ada"); name != "Ada" || err != nil {
			t.Fatalf("%q, %v", name, err)
		}
	}
	if got := db.reads.Load(); got != 1 {
		t.Errorf("the row was read %d times, want once in the mesh", got)
	}
	if err := services[0].rename(t.Context(), "ada", "Countess"); err != nil {
		t.Fatal(err)
	}
	for i, s := range services {
		if name, err := s.name(t.Context(), "ada"); name != "Countess" || err != nil {
			t.Errorf("member %d serves %q, %v", i, name, err)
		}
	}
}

func TestReadsGoOnBesideACrash(t *testing.T) {
	c, db := cachemeshtest.New(t, 3), newRows("ada", "Ada")
	services := newProfiles(c, db)
	c.Kill(2)
	if name, err := services[0].name(t.Context(), "ada"); name != "Ada" || err != nil {
		t.Errorf("right after the crash: %q, %v", name, err)
	}
	c.Settle() // the others agree that it is gone
	if err := services[1].rename(t.Context(), "ada", "Countess"); err != nil {
		t.Error(err)
	}
}

func TestAMinoritySaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, db := cachemeshtest.New(t, 3), newRows("ada", "Ada")
		services := newProfiles(c, db)
		c.Partition([]int{0, 1}, []int{2})
		c.Settle()
		if err := services[2].rename(t.Context(), "ada", "Countess"); !errors.Is(err, cachemesh.ErrMinority) {
			t.Errorf("a member that is cut off renames with %v, want ErrMinority", err)
		}
		time.Sleep(10 * time.Second) // MaxStale, by the bubble's clock
		for i, s := range services {
			if name, err := s.name(t.Context(), "ada"); name != "Countess" || err != nil {
				t.Errorf("member %d serves %q, %v", i, name, err)
			}
		}
	})
}
