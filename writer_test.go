package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A database is an origin with both directions. before, if set, runs ahead of
// each write that reaches it.
type database struct {
	mu      sync.Mutex // guards the fields below
	rows    map[string]string
	before  func(ctx context.Context, key string) error
	writing map[string]bool
	writes  int
	loads   int
	overlap string // what ran beside a write of the same key
	shared  bool   // loads may, whose value is not kept or is forgotten when the write ends
}

func newDatabase() *database {
	return &database{rows: make(map[string]string), writing: make(map[string]bool)}
}

func (d *database) load(_ context.Context, key string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.loads++
	if d.writing[key] && !d.shared {
		d.overlap = "a load of " + key
	}
	if v, ok := d.rows[key]; ok {
		return v, nil
	}
	return "", cachemesh.ErrNotFound
}

func (d *database) Store(ctx context.Context, key, v string) error {
	return d.write(ctx, key, func() { d.rows[key] = v })
}

func (d *database) Delete(ctx context.Context, key string) error {
	return d.write(ctx, key, func() { delete(d.rows, key) })
}

func (d *database) write(ctx context.Context, key string, commit func()) error {
	d.mu.Lock()
	d.writes++
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

func (d *database) set(before func(context.Context, string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.before = before
}

func (d *database) put(key, v string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows[key] = v
}

func (d *database) row(key string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rows[key]
}

// wantEqual checks that every member sees what the database has.
func (d *database) wantEqual(t *testing.T, groups []*cachemesh.Group[string], keys ...string) {
	t.Helper()
	for i, g := range groups {
		got, err := g.GetMany(testContext(t), keys)
		want := make(map[string]string)
		for _, key := range keys {
			if v := d.row(key); v != "" {
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

func writeThrough(m *mesh, d *database, o cachemesh.GroupOptions[string]) []*cachemesh.Group[string] {
	o.Writer = d
	return groupOn(m, "g", d.load, o)
}

func TestWriterFromEveryMember(t *testing.T) {
	m, d := newMesh(t, 3), newDatabase()
	groups := writeThrough(m, d, cachemesh.GroupOptions[string]{HotReads: 1})
	ctx := testContext(t)
	keys := numbered("key", 60)
	for i, key := range keys {
		must(t, groups[i%3].Set(ctx, key, "v1", 0))
	}
	d.wantEqual(t, groups, keys...)
	if d.loads != 0 {
		t.Errorf("%d loads of values that were Set", d.loads)
	}
	must(t, groups[0].Delete(ctx, keys[:30]...))
	must(t, groups[1].Delete(ctx, keys[30]))
	d.wantEqual(t, groups, keys...)
	if d.writes != 91 || len(d.rows) != 29 {
		t.Errorf("%d writes, %d rows, want 91, 29", d.writes, len(d.rows))
	}
}

// TestDeleteOfManyWithAWriter runs the deletes of one call side by side.
func TestDeleteOfManyWithAWriter(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, d := newMesh(t, 2), newDatabase()
		d.set(func(context.Context, string) error { time.Sleep(10 * time.Millisecond); return nil })
		groups := writeThrough(m, d, cachemesh.GroupOptions[string]{})
		start := time.Now()
		must(t, groups[0].Delete(ctx, numbered("key", 640)...))
		if took := time.Since(start); d.writes != 640 || took > 200*time.Millisecond {
			t.Errorf("%d deletes in %v", d.writes, took)
		}
		d.set(func(_ context.Context, key string) error { return errSentinel })
		d.writes = 0
		err := groups[0].Delete(ctx, numbered("key", 10)...)
		failed, _ := errors.AsType[cachemesh.KeyErrors](err)
		for key, err := range failed {
			if we, ok := errors.AsType[*cachemesh.WriteError](err); !ok || we.Key != key || !strings.Contains(err.Error(), "database is down") {
				t.Errorf("%q: %v", key, err)
			}
		}
		if len(failed) != 10 || d.writes != 10 {
			t.Errorf("%d failed with %d calls, want 10 and 10", len(failed), d.writes)
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
		{name: "sentinel", fail: func(context.Context) error { return fmt.Errorf("tx: %w", errSentinel) }, is: errSentinel},
		{name: "panic", fail: func(context.Context) error { panic("boom 7") }, panics: true, text: "boom 7"},
		{name: "Goexit", fail: func(context.Context) error { runtime.Goexit(); return nil }, text: "Goexit"},
		{name: "not found", fail: func(context.Context) error { return cachemesh.ErrNotFound }, text: "not found"},
		{name: "timeout", fail: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, is: context.DeadlineExceeded},
		{name: "another group's LoadError", fail: func(context.Context) error { return &cachemesh.LoadError{Group: "other", Err: errSentinel} }, text: "other"},
		{name: "another group's ErrUnsettled", fail: func(context.Context) error { return cachemesh.ErrUnsettled }, text: "agree"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				m, d := newMesh(t, 3), newDatabase()
				groups := writeThrough(m, d, cachemesh.GroupOptions[string]{HotReads: 1, LoadTimeout: time.Second, Errors: []error{errSentinel}})
				for i, g := range groups {
					for n, write := range []func(key string) error{
						func(key string) error { return g.Set(ctx, key, "v2", 0) },
						func(key string) error { return g.Delete(ctx, key) },
					} {
						key := m.keysOf("g", 1, 6)[2*i+n]
						d.set(nil)
						must(t, groups[1].Set(ctx, key, "v1", 0))
						d.wantEqual(t, groups, key)
						d.put(key, "partly") // the origin may have changed all the same
						d.set(func(ctx context.Context, _ string) error { return test.fail(ctx) })
						err := write(key)
						we, ok := errors.AsType[*cachemesh.WriteError](err)
						if _, load := err.(*cachemesh.LoadError); !ok || load || we.Member != "node1" || we.Key != key || we.Panic != test.panics || !strings.Contains(err.Error(), test.text) || test.is != nil && !errors.Is(err, test.is) {
							t.Errorf("node%d, write %d: %v (%T)", i, n, err, err)
						}
						d.wantEqual(t, groups, key)
						d.set(nil)
						must(t, write(key))
						d.wantEqual(t, groups, key)
					}
				}
			})
		})
	}
}

// TestSlowWriter: the caller's time ends, the write goes on. Hits see the former
// value until it is done, and what misses waits.
func TestSlowWriter(t *testing.T) {
	for owner := range 2 {
		t.Run(fmt.Sprint("owner=node", owner), func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				m, d := newMesh(t, 2), newDatabase()
				groups := writeThrough(m, d, cachemesh.GroupOptions[string]{})
				keys := m.keysOf("g", owner, 2)
				must(t, groups[0].Set(ctx, keys[0], "v1", 0))
				d.set(func(context.Context, string) error { time.Sleep(time.Second); return nil })
				start := time.Now()
				for _, key := range keys {
					short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
					err := groups[0].Set(short, key, "v2", 0)
					cancel()
					pe, ok := errors.AsType[*cachemesh.PeerError](err)
					if !ok || !pe.MaybeApplied || !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Set = %v, want a PeerError with MaybeApplied and DeadlineExceeded", err)
					}
				}
				for _, g := range groups {
					mustGet(t, g, keys[0], "v1")
				}
				if took := time.Since(start); took > 250*time.Millisecond {
					t.Errorf("hits waited for the write: %v", took)
				}
				for _, g := range groups {
					mustGet(t, g, keys[1], "v2")
				}
				if took := time.Since(start); took < time.Second {
					t.Errorf("a miss did not wait for the write: %v", took)
				}
				d.wantEqual(t, groups, keys...)
			})
		})
	}
}

// TestWriterThatIgnoresItsContext commits long after it was given up. What was
// loaded meanwhile is forgotten then.
func TestWriterThatIgnoresItsContext(t *testing.T) {
	for _, how := range []string{"returns", "panics"} {
		t.Run(how, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				m, d := newMesh(t, 2), newDatabase()
				groups := writeThrough(m, d, cachemesh.GroupOptions[string]{LoadTimeout: 100 * time.Millisecond, HotReads: 1})
				key := m.keyOf("g", 0)
				d.put(key, "v1")
				d.set(func(context.Context, string) error {
					time.Sleep(5 * time.Second)
					if how == "panics" {
						d.put(key, "v2")
						panic("after it was committed")
					}
					return nil
				})
				err := groups[1].Set(ctx, key, "v2", 0)
				if _, ok := errors.AsType[*cachemesh.WriteError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Set = %v, want a WriteError with DeadlineExceeded", err)
				}
				for range 5 {
					for _, g := range groups {
						mustGet(t, g, key, "v1")
					}
				}
				time.Sleep(10 * time.Second)
				for _, g := range groups {
					mustGet(t, g, key, "v2")
				}
			})
		})
	}
}

// TestWriterVoidsLoads: a load that has read the row before it was written is not
// stored.
func TestWriterVoidsLoads(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, d, gate := newMesh(t, 2), newDatabase(), newGate()
		groups := groupOn(m, "g", func(ctx context.Context, key string) (string, error) {
			return gate.load(context.WithoutCancel(ctx), key) // a void load is called off
		}, cachemesh.GroupOptions[string]{Writer: d})
		for owner := range 2 {
			key := m.keyOf("g", owner)
			old := goGet(ctx, groups[0], key)
			<-gate.entered
			must(t, groups[1].Set(ctx, key, "new", 0))
			gate.release <- "old"
			<-old
			synctest.Wait()
			for _, g := range groups {
				mustGet(t, g, key, "new")
			}
		}
	})
}

// TestWriterWhileTheViewChanges: while the origin is being written, keys get a new
// owner, which may load the rows before they change.
func TestWriterWhileTheViewChanges(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, d := newMesh(t, 3), newDatabase()
		groups := writeThrough(m, d, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := numbered("key", 60)
		for i, key := range keys {
			d.put(key, "v1")
			mustGet(t, groups[i%3], key, "v1")
		}
		release := make(chan struct{})
		d.shared = true
		d.set(func(context.Context, string) error { <-release; return nil })
		var writers sync.WaitGroup
		var before []int
		for i, key := range keys {
			before = append(before, m.owner("g", key))
			writers.Go(func() {
				if i%2 == 0 {
					must(t, groups[i%3].Set(ctx, key, "v2", 0))
				} else {
					must(t, groups[i%3].Delete(ctx, key))
				}
			})
		}
		synctest.Wait()
		m.nodes = append(m.nodes, m.newNode(3))
		joined, err := cachemesh.NewGroup(m.nodes[3], "g", d.load, cachemesh.GroupOptions[string]{Writer: d, HotReads: 1})
		must(t, err)
		writers.Go(func() { must(t, m.nodes[3].Start()) })
		for _, n := range m.nodes {
			awaitMembers(t, ctx, n, 4)
		}
		moved := 0
		for i, key := range keys {
			if m.owner("g", key) != before[i] {
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
		m.settle(4)
		d.wantEqual(t, append(groups, joined), keys...)
		if len(d.rows) != len(keys)/2 || d.writes != len(keys) {
			t.Errorf("%d rows, %d writes, want %d, %d", len(d.rows), d.writes, len(keys)/2, len(keys))
		}
	})
}

// TestClearLeavesTheOriginAlone, also rows of which copies are out.
func TestClearLeavesTheOriginAlone(t *testing.T) {
	m, d := newMesh(t, 3), newDatabase()
	groups := writeThrough(m, d, cachemesh.GroupOptions[string]{HotReads: 1})
	ctx := testContext(t)
	keys := numbered("key", 30)
	for i, key := range keys {
		must(t, groups[i%3].Set(ctx, key, "v", 0))
		for range 3 {
			for _, g := range groups {
				mustGet(t, g, key, "v")
			}
		}
	}
	if groups[0].Stats().HotHits == 0 {
		t.Error("no hot copies: the test tests less than it should")
	}
	writes := d.writes
	must(t, groups[0].Clear(ctx))
	if d.writes != writes || len(d.rows) != len(keys) {
		t.Errorf("Clear made %d writes, %d of %d rows are left", d.writes-writes, len(d.rows), len(keys))
	}
	d.wantEqual(t, groups, keys...)
}

// TestWriterUnknownToTheOwner: a write that reaches a member without the group
// has not changed the origin, and must not be reported as done.
func TestWriterUnknownToTheOwner(t *testing.T) {
	m, d := newMesh(t, 2), newDatabase()
	g, err := cachemesh.NewGroup(m.nodes[0], "g", d.load, cachemesh.GroupOptions[string]{Writer: d})
	must(t, err)
	keys := m.keysOf("g", 1, 3)
	for _, key := range keys {
		d.put(key, "v")
	}
	ctx := testContext(t)
	for what, err := range map[string]error{
		"Set": g.Set(ctx, keys[0], "w", 0), "Delete": g.Delete(ctx, keys[0]), "Delete of several": g.Delete(ctx, keys...),
	} {
		if !errors.Is(err, cachemesh.ErrUnknownGroup) {
			t.Errorf("%s = %v, want ErrUnknownGroup", what, err)
		}
	}
	if d.writes != 0 || len(d.rows) != 3 {
		t.Errorf("%d writes, %d rows", d.writes, len(d.rows))
	}
}
