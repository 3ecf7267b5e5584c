package owner_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A deafWriter is a database whose writes take their time, whatever their context
// says, and change the row at the end of it.
func deafWriter(takes time.Duration) *kit.Database {
	d := kit.NewDatabase()
	d.Shared = true
	d.Before(func(context.Context, string) error { time.Sleep(takes); return nil })
	return d
}

// wantOverdue checks a write whose Writer does not return in time.
func wantOverdue(t *testing.T, err error) {
	t.Helper()
	pe, ok := errors.AsType[*cachemesh.PeerError](err)
	if _, failed := errors.AsType[*cachemesh.WriteError](err); !failed && !(ok && pe.MaybeApplied) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Set = %v, want a WriteError, or a PeerError with MaybeApplied, and DeadlineExceeded", err)
	}
}

// wantBusy checks a write that waited for an earlier Writer.
func wantBusy(t *testing.T, who string, err error) {
	t.Helper()
	pe, ok := errors.AsType[*cachemesh.PeerError](err)
	if !errors.Is(err, cachemesh.ErrWriterBusy) || !errors.Is(err, context.DeadlineExceeded) || ok && pe.MaybeApplied {
		t.Errorf("%s = %v, want ErrWriterBusy and DeadlineExceeded, not applied", who, err)
	}
}

// TestWritesWaitForAnEarlierWriter that ignores its context: none of them runs
// beside it, whoever makes them, and reads go on.
func TestWritesWaitForAnEarlierWriter(t *testing.T) {
	for owner := range 2 {
		t.Run(fmt.Sprint("owner=node", owner), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, d := kit.New(t, 2), deafWriter(5*time.Second)
				groups := writeThrough(m, d, cachemesh.GroupOptions[string]{LoadTimeout: time.Second, HotReads: 1})
				keys := m.KeysOf("g", owner, 2)
				key := keys[0]
				d.Put(key, "zero")
				wantOverdue(t, groups[0].Set(ctx, key, "first", 0))
				d.Before(nil)
				for i, g := range groups {
					start := time.Now()
					short, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
					defer cancel()
					who := fmt.Sprint("node", i)
					wantBusy(t, who+": Set", g.Set(short, key, "second", 0))
					if took := time.Since(start); took < 350*time.Millisecond || took > 400*time.Millisecond {
						t.Errorf("%s: it was told after %v", who, took)
					}
					kit.MustGet(t, g, key, "zero")
					kit.Must(t, g.Set(ctx, keys[1], "other", 0)) // another key
					if i == 0 {
						short, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
						defer cancel()
						wantBusy(t, who+": Delete", g.Delete(short, key))
						err := g.Delete(short, key, keys[1])
						failed, _ := errors.AsType[cachemesh.KeyErrors](err)
						if len(failed) != 1 || failed[key] == nil {
							t.Errorf("Delete of two = %v", err)
						}
						kit.Must(t, g.Clear(ctx)) // it does not touch the origin
						kit.MustGet(t, g, key, "zero")
					}
				}
				start := time.Now()
				kit.Must(t, groups[1].Set(ctx, key, "third", 0))
				t.Logf("the next Set waited %v more", time.Since(start))
				for range 3 {
					time.Sleep(time.Second)
					d.WantEqual(t, groups, keys...)
				}
				if d.Row(key) != "third" {
					t.Errorf("the row is %q", d.Row(key))
				}
				time.Sleep(10 * time.Second)
				if n := groups[owner].Stats().StuckWrites; n != 1 {
					t.Errorf("%d writes counted as stuck, want 1", n)
				}
			})
		})
	}
}

// TestWritersThatNeverReturn are bounded.
func TestWritersThatNeverReturn(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, d := kit.New(t, 1), kit.NewDatabase()
		release := make(chan struct{})
		d.Before(func(context.Context, string) error { <-release; return nil })
		g := writeThrough(m, d, cachemesh.GroupOptions[string]{LoadTimeout: time.Second})[0]
		const most = 64 * 64
		keys := kit.Numbered("key", 2*most)
		var all sync.WaitGroup
		for _, key := range keys {
			all.Go(func() { wantOverdue(t, g.Set(ctx, key, "v", 0)) })
		}
		all.Wait()
		// No more than that are called once so many hang.
		before := d.Writes
		refused := 0
		for _, key := range kit.Numbered("other", 1000) {
			if err := g.Set(ctx, key, "v", 0); errors.Is(err, cachemesh.ErrOverloaded) {
				refused++
			}
		}
		if d.Writes != before || refused != 1000 {
			t.Errorf("%d more calls of the Writer while %d hang, %d refused", d.Writes-before, before, refused)
		}
		close(release)
		synctest.Wait()
		kit.Must(t, g.Set(ctx, "other1", "v", 0))
	})
}

// TestNewOwnerWaitsForTheOldOnesWriter: the key moves while its former owner's
// Writer runs. What it does is not undone, and does not undo.
func TestNewOwnerWaitsForTheOldOnesWriter(t *testing.T) {
	for _, overdue := range []bool{false, true} {
		t.Run(fmt.Sprint("overdue=", overdue), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				timeout := 10 * time.Second
				if overdue {
					timeout = 2 * time.Second
				}
				m, d := kit.New(t, 1), deafWriter(3*time.Second)
				o := cachemesh.GroupOptions[string]{Writer: d, LoadTimeout: timeout}
				groups := kit.GroupOn(m, "g", d.Load, o)
				key := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 1)[0]
				short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
				defer cancel()
				wantOverdue(t, groups[0].Set(short, key, "first", 0))
				d.Before(nil)
				m.Nodes = append(m.Nodes, m.NewNode(1))
				joined, err := cachemesh.NewGroup(m.Nodes[1], "g", d.Load, o)
				kit.Must(t, err)
				groups = append(groups, joined)
				start := time.Now()
				kit.Must(t, m.Nodes[1].Start())
				var all sync.WaitGroup
				for i, g := range groups {
					all.Go(func() { kit.Must(t, g.Set(ctx, key, fmt.Sprint("second of node", i), 0)) })
				}
				all.Wait()
				t.Logf("the second Set returned %v after the new owner had come", time.Since(start))
				if m.Owner("g", key) != 1 {
					t.Fatal("the key did not move")
				}
				for range 6 {
					d.WantEqual(t, groups, key)
					if row := d.Row(key); !strings.HasPrefix(row, "second") {
						t.Fatalf("the row is %q", row)
					}
					time.Sleep(time.Second)
				}
			})
		})
	}
}

// TestKeyComesStraightBack to an owner whose Writer still runs.
func TestKeyComesStraightBack(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, d := kit.New(t, 1), deafWriter(8*time.Second)
		groups := writeThrough(m, d, cachemesh.GroupOptions[string]{LoadTimeout: 5 * time.Second})
		key := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 1)[0]
		short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		wantOverdue(t, groups[0].Set(short, key, "first", 0))
		d.Before(nil)
		m.Nodes = append(m.Nodes, m.NewNode(1, func(_ int, o *cachemesh.Options) { o.JoinTimeout = time.Second }))
		kit.Must(t, m.Nodes[1].Start())
		kit.AwaitMembers(t, ctx, m.Nodes[0], 2)
		leaving, stop := context.WithTimeout(ctx, time.Second)
		defer stop()
		m.Nodes[1].Shutdown(leaving)
		m.Nodes[1] = nil
		kit.AwaitMembers(t, ctx, m.Nodes[0], 1)
		if d.Row(key) != "" {
			t.Fatal("the Writer has returned too early: the test proves nothing")
		}
		kit.Must(t, groups[0].Set(ctx, key, "second", 0))
		for range 10 {
			d.WantEqual(t, groups, key)
			time.Sleep(time.Second)
		}
		if d.Row(key) != "second" {
			t.Errorf("the row is %q", d.Row(key))
		}
	})
}

// TestWriterIsGivenUp when twice its time is over: the mesh settles without it, and
// says so. When it returns after all, the cache follows.
func TestWriterIsGivenUp(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var text lines
		m := kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.Logger = slog.New(slog.NewTextHandler(&text, nil)) })
		d := kit.NewDatabase()
		release := make(chan struct{})
		d.Before(func(context.Context, string) error { <-release; return nil })
		o := cachemesh.GroupOptions[string]{Writer: d, LoadTimeout: 2 * time.Second}
		groups := kit.GroupOn(m, "g", d.Load, o)
		key := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 1)[0]
		start := time.Now()
		wantOverdue(t, groups[0].Set(ctx, key, "first", 0))
		d.Before(nil)
		d.GiveUp(key) // the overlap is what this test is about
		waiting := make(chan error, 1)
		go func() { waiting <- groups[0].Set(ctx, key, "second", 0) }() // at the old owner, until it is that no more
		synctest.Wait()
		m.Nodes = append(m.Nodes, m.NewNode(1))
		joined, err := cachemesh.NewGroup(m.Nodes[1], "g", d.Load, o)
		kit.Must(t, err)
		groups = append(groups, joined)
		kit.Must(t, m.Nodes[1].Start())
		kit.Must(t, <-waiting)
		kit.Must(t, joined.Set(ctx, key, "second", 0))
		took := time.Since(start)
		t.Logf("the new owner began %v after the Writer was called, LoadTimeout being 2s", took)
		if took < 4*time.Second || took > 5*time.Second {
			t.Errorf("the new owner began after %v, want 4 s", took)
		}
		m.Settle(2)
		if n := groups[0].Stats().StuckWrites; n != 1 || !strings.Contains(text.String(), "level=ERROR msg=\"a Writer has not returned") || !strings.Contains(text.String(), key) {
			t.Errorf("%d writes counted as stuck; log: %s", n, text.String())
		}
		for _, g := range groups {
			kit.MustGet(t, g, key, "second")
		}
		close(release)
		time.Sleep(time.Second)
		for _, g := range groups {
			kit.MustGet(t, g, key, "first") // as documented: it undid the second one, and the cache says so
		}
	})
}

// TestShutdownWaitsForWriters, as it does for loads; Close leaves them behind.
func TestShutdownWaitsForWriters(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, d := kit.New(t, 2), deafWriter(3*time.Second)
		groups := writeThrough(m, d, cachemesh.GroupOptions[string]{LoadTimeout: 2 * time.Second})
		key := m.KeyOf("g", 1)
		wantOverdue(t, groups[1].Set(ctx, key, "first", 0))
		d.Before(nil)
		kit.Must(t, m.Nodes[1].Shutdown(ctx))
		if d.Row(key) != "first" {
			t.Error("Shutdown did not wait for the Writer")
		}
		kit.MustGet(t, groups[0], key, "first")

		d.Before(func(context.Context, string) error { time.Sleep(3 * time.Second); return nil })
		wantOverdue(t, groups[0].Set(ctx, key, "second", 0))
		start := time.Now()
		kit.Must(t, m.Nodes[0].Close())
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("Close took %v", took)
		}
		time.Sleep(10 * time.Second)
	})
}

// lines gathers what a logger writes.
type lines struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
