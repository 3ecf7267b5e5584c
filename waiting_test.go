package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestGetsThatWaitForAWrite can be cancelled, each alone, and end when the node
// closes; the others get what was written.
func TestGetsThatWaitForAWrite(t *testing.T) {
	for _, closes := range []bool{false, true} {
		for owner := range 2 {
			t.Run(fmt.Sprintf("closes=%t/owner=node%d", closes, owner), func(t *testing.T) {
				bubble(t, func(t *testing.T, ctx context.Context) {
					m, d := newMesh(t, 2), newDatabase()
					release := make(chan struct{})
					d.set(func(ctx context.Context, _ string) error {
						select {
						case <-release:
						case <-ctx.Done():
						}
						return nil
					})
					groups := writeThrough(m, d, cachemesh.GroupOptions[string]{})
					key := m.keyOf("g", owner)
					go groups[0].Set(ctx, key, "v", 0)
					synctest.Wait()
					cancelled, cancel := context.WithCancel(ctx)
					one := goGet(cancelled, groups[0], key)
					others := []<-chan outcome{goGet(ctx, groups[0], key), goGet(ctx, groups[0], key)}
					synctest.Wait()
					cancel()
					synctest.Wait()
					select {
					case out := <-one:
						if !errors.Is(out.err, context.Canceled) {
							t.Errorf("the cancelled Get returned %v", out.err)
						}
					default:
						t.Fatal("the cancelled Get waits on")
					}
					want := outcome{"v", nil}
					if closes {
						m.nodes[0].Close()
						want = outcome{"", cachemesh.ErrClosed}
					} else {
						close(release)
					}
					for _, c := range others {
						if out := <-c; out.v != want.v || !errors.Is(out.err, want.err) {
							t.Errorf("Get = %q, %v, want %q, %v", out.v, out.err, want.v, want.err)
						}
					}
					if d.loads != 0 {
						t.Errorf("%d loads of what was written", d.loads)
					}
				})
			})
		}
	}
}

// TestGetsThatGather behind two void loads can be cancelled, and end when the node
// closes. When all have left, nothing is loaded for them.
func TestGetsThatGather(t *testing.T) {
	for _, closes := range []bool{false, true} {
		t.Run(fmt.Sprint("closes=", closes), func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				m, o := newMesh(t, 1), &slowOrigin{takes: time.Second}
				g := groupOn(m, "g", o.load, cachemesh.GroupOptions[int64]{})[0]
				get := func(ctx context.Context) <-chan error {
					c := make(chan error, 1)
					go func() { _, err := g.Get(ctx, "k"); c <- err }()
					synctest.Wait()
					return c
				}
				for range 2 {
					get(ctx)
					must(t, g.Delete(ctx, "k"))
				}
				gathering, cancel := context.WithCancel(ctx)
				defer cancel()
				a, b := get(gathering), get(gathering)
				if n := o.entered.Load(); n != 2 {
					t.Fatalf("%d loads, want 2: nobody gathers", n)
				}
				want := context.Canceled
				if closes {
					m.nodes[0].Close()
					want = cachemesh.ErrClosed
				} else {
					cancel()
				}
				for _, c := range []<-chan error{a, b} {
					if err := <-c; !errors.Is(err, want) {
						t.Errorf("Get = %v, want %v", err, want)
					}
				}
				time.Sleep(3 * time.Second)
				if n := o.entered.Load(); n != 2 {
					t.Errorf("%d loads, want 2", n)
				}
			})
		})
	}
}

// TestGetsOfWhatIsNotStoredEnd with their contexts, each alone, and with the node.
func TestGetsOfWhatIsNotStoredEnd(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := newMesh(t, 2), newGate()
		g, err := cachemesh.NewGroup(m.nodes[0], "g", gate.load, cachemesh.GroupOptions[string]{})
		must(t, err)
		key := m.keyOf("g", 1) // whose owner does not know the group
		running := goGet(ctx, g, key)
		<-gate.entered
		cancelled, cancel := context.WithCancel(ctx)
		one, other := goGet(cancelled, g, key), goGet(ctx, g, key)
		synctest.Wait()
		cancel()
		if out := <-one; !errors.Is(out.err, context.Canceled) {
			t.Errorf("the cancelled Get returned %v", out.err)
		}
		m.nodes[0].Close()
		for _, c := range []<-chan outcome{running, other} {
			if out := <-c; !errors.Is(out.err, cachemesh.ErrClosed) && !errors.Is(out.err, context.Canceled) {
				t.Errorf("Get = %q, %v when the node closed", out.v, out.err)
			}
		}
		if n := gate.loads.Load(); n != 1 {
			t.Errorf("%d loads, want 1", n)
		}
	})
}

// TestLoadManyBesideAWrite: a key that is being written is not loaded beside that,
// and costs the others of its call nothing.
func TestLoadManyBesideAWrite(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, d, b := newMesh(t, 1), newDatabase(), &bulk{}
		release := make(chan struct{})
		d.set(func(context.Context, string) error { <-release; return nil })
		g := groupOn(m, "g", b.load, cachemesh.GroupOptions[string]{LoadMany: b.loadMany, Writer: d})[0]
		keys := numbered("key", 10)
		go g.Set(ctx, "key3", "written", 0)
		synctest.Wait()
		done := make(chan map[string]string)
		go func() {
			values, err := g.GetMany(ctx, keys)
			if err != nil {
				t.Error(err)
			}
			done <- values
		}()
		synctest.Wait()
		mustGet(t, g, "key4", "value of key4") // loaded already
		if b.times["key3"] != 0 || len(b.calls) != 1 || len(b.calls[0]) != 9 {
			t.Errorf("calls of LoadMany: %v, loads of the key that is written: %d", b.calls, b.times["key3"])
		}
		close(release)
		if values := <-done; len(values) != 10 || values["key3"] != "written" || values["key4"] != "value of key4" {
			t.Errorf("GetMany = %v", values)
		}
		b.wantOnce(t, 9)
	})
}

// TestLoadOfAKeyThatLeftAndCameBack: what was read before the key had another owner
// is not stored.
func TestLoadOfAKeyThatLeftAndCameBack(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		r := &row{entered: make(chan struct{}, 2), release: make(chan struct{})}
		first := groupOn(m, "g", r.load, cachemesh.GroupOptions[int64]{})[0]
		key := movesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 1)[0]
		old := make(chan int64, 1)
		go func() { v, _ := first.Get(ctx, key); old <- v }()
		<-r.entered // it has read the row
		m.nodes = append(m.nodes, m.newNode(1))
		second, err := cachemesh.NewGroup(m.nodes[1], "g", r.load, cachemesh.GroupOptions[int64]{})
		must(t, err)
		must(t, m.nodes[1].Start())
		m.settle(2)
		r.value.Store(1)
		must(t, second.Delete(ctx, key))
		must(t, m.nodes[1].Shutdown(ctx))
		m.nodes[1] = nil
		m.settle(1)
		close(r.release)
		if v := <-old; v != 0 {
			t.Errorf("the Get that came first returned %d", v)
		}
		synctest.Wait()
		mustGet(t, first, key, 1)
	})
}
