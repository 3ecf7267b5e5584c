package owner_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

func writeThrough(m *kit.Mesh, d *kit.Database, o cachemesh.GroupOptions[string]) []*cachemesh.Group[string] {
	o.Writer = d
	return kit.GroupOn(m, "g", d.Load, o)
}

func TestWriterFromEveryMember(t *testing.T) {
	m, d := kit.New(t, 3), kit.NewDatabase()
	groups := writeThrough(m, d, cachemesh.GroupOptions[string]{HotReads: 1})
	ctx := kit.Context(t)
	keys := kit.Numbered("key", 60)
	for i, key := range keys {
		kit.Must(t, groups[i%3].Set(ctx, key, "v1", 0))
	}
	d.WantEqual(t, groups, keys...)
	if d.Loads != 0 {
		t.Errorf("%d loads of values that were Set", d.Loads)
	}
	kit.Must(t, groups[0].Delete(ctx, keys[:30]...))
	kit.Must(t, groups[1].Delete(ctx, keys[30]))
	d.WantEqual(t, groups, keys...)
	if d.Writes != 91 || len(d.Rows) != 29 {
		t.Errorf("%d writes, %d rows, want 91, 29", d.Writes, len(d.Rows))
	}
}

// TestDeleteOfManyWithAWriter runs the deletes of one call side by side.
func TestDeleteOfManyWithAWriter(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, d := kit.New(t, 2), kit.NewDatabase()
		d.Before(func(context.Context, string) error { time.Sleep(10 * time.Millisecond); return nil })
		groups := writeThrough(m, d, cachemesh.GroupOptions[string]{})
		start := time.Now()
		kit.Must(t, groups[0].Delete(ctx, kit.Numbered("key", 640)...))
		if took := time.Since(start); d.Writes != 640 || took > 200*time.Millisecond {
			t.Errorf("%d deletes in %v", d.Writes, took)
		}
		d.Before(func(_ context.Context, key string) error { return kit.ErrOrigin })
		d.Writes = 0
		err := groups[0].Delete(ctx, kit.Numbered("key", 10)...)
		failed, _ := errors.AsType[cachemesh.KeyErrors](err)
		for key, err := range failed {
			if we, ok := errors.AsType[*cachemesh.WriteError](err); !ok || we.Key != key || !strings.Contains(err.Error(), "database is down") {
				t.Errorf("%q: %v", key, err)
			}
		}
		if len(failed) != 10 || d.Writes != 10 {
			t.Errorf("%d failed with %d calls, want 10 and 10", len(failed), d.Writes)
		}
	})
}

// TestWriterFails in all ways: the cache holds nothing then, and the key works
// afterwards.
func TestWriterFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		fail   func(ctx context.Context) error
		panics bool
		text   string
		is     error
	}{
		{name: "error", fail: func(context.Context) error { return errors.New("disk full") }, text: "disk full"},
		{name: "sentinel", fail: func(context.Context) error { return fmt.Errorf("tx: %w", kit.ErrOrigin) }, is: kit.ErrOrigin},
		{name: "panic", fail: func(context.Context) error { panic("boom 7") }, panics: true, text: "boom 7"},
		{name: "Goexit", fail: func(context.Context) error { runtime.Goexit(); return nil }, text: "Goexit"},
		{name: "not found", fail: func(context.Context) error { return cachemesh.ErrNotFound }, text: "not found"},
		{name: "timeout", fail: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, is: context.DeadlineExceeded},
		{name: "another group's LoadError", fail: func(context.Context) error { return &cachemesh.LoadError{Group: "other", Err: kit.ErrOrigin} }, text: "other"},
		{name: "another group's ErrUnsettled", fail: func(context.Context) error { return cachemesh.ErrUnsettled }, text: "agree"},
	} {
		t.Run(test.name, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, d := kit.New(t, 3), kit.NewDatabase()
				groups := writeThrough(m, d, cachemesh.GroupOptions[string]{HotReads: 1, LoadTimeout: time.Second, Errors: []error{kit.ErrOrigin}})
				for i, g := range groups {
					for n, write := range []func(key string) error{
						func(key string) error { return g.Set(ctx, key, "v2", 0) },
						func(key string) error { return g.Delete(ctx, key) },
					} {
						key := m.KeysOf("g", 1, 6)[2*i+n]
						d.Before(nil)
						kit.Must(t, groups[1].Set(ctx, key, "v1", 0))
						d.WantEqual(t, groups, key)
						d.Put(key, "partly") // the origin may have changed all the same
						d.Before(func(ctx context.Context, _ string) error { return test.fail(ctx) })
						err := write(key)
						we, ok := errors.AsType[*cachemesh.WriteError](err)
						if _, load := err.(*cachemesh.LoadError); !ok || load || we.Member != "node1" || we.Key != key || we.Panic != test.panics || !strings.Contains(err.Error(), test.text) || test.is != nil && !errors.Is(err, test.is) {
							t.Errorf("node%d, write %d: %v (%T)", i, n, err, err)
						}
						d.WantEqual(t, groups, key)
						d.Before(nil)
						kit.Must(t, write(key))
						d.WantEqual(t, groups, key)
					}
				}
			})
		})
	}
}

// TestWriterVoidsLoads: a load that has read the row before it was written is not
// stored.
func TestWriterVoidsLoads(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, d, gate := kit.New(t, 2), kit.NewDatabase(), kit.NewGate()
		groups := kit.GroupOn(m, "g", func(ctx context.Context, key string) (string, error) {
			return gate.Load(context.WithoutCancel(ctx), key) // a void load is called off
		}, cachemesh.GroupOptions[string]{Writer: d})
		for owner := range 2 {
			key := m.KeyOf("g", owner)
			old := kit.GoGet(ctx, groups[0], key)
			<-gate.Entered
			kit.Must(t, groups[1].Set(ctx, key, "new", 0))
			gate.Release <- "old"
			<-old
			synctest.Wait()
			for _, g := range groups {
				kit.MustGet(t, g, key, "new")
			}
		}
	})
}

// TestWriterWhileTheViewChanges: while the origin is being written, keys get a new
// owner, which may load the rows before they change.
func TestWriterWhileTheViewChanges(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, d := kit.New(t, 3), kit.NewDatabase()
		groups := writeThrough(m, d, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := kit.Numbered("key", 60)
		for i, key := range keys {
			d.Put(key, "v1")
			kit.MustGet(t, groups[i%3], key, "v1")
		}
		release := make(chan struct{})
		d.Shared = true
		d.Before(func(context.Context, string) error { <-release; return nil })
		var writers sync.WaitGroup
		var before []int
		for i, key := range keys {
			before = append(before, m.Owner("g", key))
			writers.Go(func() {
				if i%2 == 0 {
					kit.Must(t, groups[i%3].Set(ctx, key, "v2", 0))
				} else {
					kit.Must(t, groups[i%3].Delete(ctx, key))
				}
			})
		}
		synctest.Wait()
		m.Nodes = append(m.Nodes, m.NewNode(3))
		joined, err := cachemesh.NewGroup(m.Nodes[3], "g", d.Load, cachemesh.GroupOptions[string]{Writer: d, HotReads: 1})
		kit.Must(t, err)
		writers.Go(func() { kit.Must(t, m.Nodes[3].Start()) })
		for _, n := range m.Nodes {
			kit.AwaitMembers(t, ctx, n, 4)
		}
		moved := 0
		for i, key := range keys {
			if m.Owner("g", key) != before[i] {
				moved++
				joined.Get(ctx, key) // it may load what is about to change
			}
		}
		if moved == 0 {
			t.Fatal("no key moved: the test proves nothing")
		}
		t.Logf("%d of %d keys moved while they were written", moved, len(keys))
		close(release)
		writers.Wait()
		m.Settle(4)
		d.WantEqual(t, append(groups, joined), keys...)
		if len(d.Rows) != len(keys)/2 || d.Writes != len(keys) {
			t.Errorf("%d rows, %d writes, want %d, %d", len(d.Rows), d.Writes, len(keys)/2, len(keys))
		}
	})
}

// TestClearLeavesTheOriginAlone, also rows of which copies are out.
func TestClearLeavesTheOriginAlone(t *testing.T) {
	m, d := kit.New(t, 3), kit.NewDatabase()
	groups := writeThrough(m, d, cachemesh.GroupOptions[string]{HotReads: 1})
	ctx := kit.Context(t)
	keys := kit.Numbered("key", 30)
	for i, key := range keys {
		kit.Must(t, groups[i%3].Set(ctx, key, "v", 0))
		for range 3 {
			for _, g := range groups {
				kit.MustGet(t, g, key, "v")
			}
		}
	}
	if groups[0].Stats().HotHits == 0 {
		t.Error("no hot copies: the test tests less than it should")
	}
	writes := d.Writes
	kit.Must(t, groups[0].Clear(ctx))
	if d.Writes != writes || len(d.Rows) != len(keys) {
		t.Errorf("Clear made %d writes, %d of %d rows are left", d.Writes-writes, len(d.Rows), len(keys))
	}
	d.WantEqual(t, groups, keys...)
}

// TestWriterUnknownToTheOwner: a write that reaches a member without the group
// has not changed the origin, and must not be reported as done.
func TestWriterUnknownToTheOwner(t *testing.T) {
	m, d := kit.New(t, 2), kit.NewDatabase()
	g, err := cachemesh.NewGroup(m.Nodes[0], "g", d.Load, cachemesh.GroupOptions[string]{Writer: d})
	kit.Must(t, err)
	keys := m.KeysOf("g", 1, 3)
	for _, key := range keys {
		d.Put(key, "v")
	}
	ctx := kit.Context(t)
	for what, err := range map[string]error{
		"Set": g.Set(ctx, keys[0], "w", 0), "Delete": g.Delete(ctx, keys[0]), "Delete of several": g.Delete(ctx, keys...),
	} {
		if !errors.Is(err, cachemesh.ErrUnknownGroup) {
			t.Errorf("%s = %v, want ErrUnknownGroup", what, err)
		}
	}
	if d.Writes != 0 || len(d.Rows) != 3 {
		t.Errorf("%d writes, %d rows", d.Writes, len(d.Rows))
	}
}
