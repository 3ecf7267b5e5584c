package owner_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestGetsThatWaitForAWrite can be cancelled, each alone, and end when the node
// closes; the others get what was written.
func TestGetsThatWaitForAWrite(t *testing.T) {
	for _, closes := range []bool{false, true} {
		for owner := range 2 {
			t.Run(fmt.Sprintf("closes=%t/owner=node%d", closes, owner), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m, d := kit.New(t, 2), kit.NewDatabase()
					release := make(chan struct{})
					d.Before(func(ctx context.Context, _ string) error {
						select {
						case <-release:
						case <-ctx.Done():
						}
						return nil
					})
					groups := writeThrough(m, d, cachemesh.GroupOptions[string]{})
					key := m.KeyOf("g", owner)
					go groups[0].Set(ctx, key, "v", 0)
					synctest.Wait()
					cancelled, cancel := context.WithCancel(ctx)
					one := kit.GoGet(cancelled, groups[0], key)
					others := []<-chan kit.Outcome{kit.GoGet(ctx, groups[0], key), kit.GoGet(ctx, groups[0], key)}
					synctest.Wait()
					cancel()
					synctest.Wait()
					select {
					case out := <-one:
						if !errors.Is(out.Err, context.Canceled) {
							t.Errorf("the cancelled Get returned %v", out.Err)
						}
					default:
						t.Fatal("the cancelled Get waits on")
					}
					want := kit.Outcome{V: "v", Err: nil}
					if closes {
						m.Nodes[0].Close()
						want = kit.Outcome{V: "", Err: cachemesh.ErrClosed}
					} else {
						close(release)
					}
					for _, c := range others {
						if out := <-c; out.V != want.V || !errors.Is(out.Err, want.Err) {
							t.Errorf("Get = %q, %v, want %q, %v", out.V, out.Err, want.V, want.Err)
						}
					}
					if d.Loads != 0 {
						t.Errorf("%d loads of what was written", d.Loads)
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
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, o := kit.New(t, 1), &slowOrigin{takes: time.Second}
				g := kit.GroupOn(m, "g", o.load, cachemesh.GroupOptions[int64]{})[0]
				get := func(ctx context.Context) <-chan error {
					c := make(chan error, 1)
					go func() { _, err := g.Get(ctx, "k"); c <- err }()
					synctest.Wait()
					return c
				}
				for range 2 {
					get(ctx)
					kit.Must(t, g.Delete(ctx, "k"))
				}
				gathering, cancel := context.WithCancel(ctx)
				defer cancel()
				a, b := get(gathering), get(gathering)
				if n := o.Entered.Load(); n != 2 {
					t.Fatalf("%d loads, want 2: nobody gathers", n)
				}
				want := context.Canceled
				if closes {
					m.Nodes[0].Close()
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
				if n := o.Entered.Load(); n != 2 {
					t.Errorf("%d loads, want 2", n)
				}
			})
		})
	}
}

// TestGetsOfWhatIsNotStoredEnd with their contexts, each alone, and with the node.
func TestGetsOfWhatIsNotStoredEnd(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := kit.New(t, 2), kit.NewGate()
		g, err := cachemesh.NewGroup(m.Nodes[0], "g", gate.Load, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		key := m.KeyOf("g", 1) // whose owner does not know the group
		running := kit.GoGet(ctx, g, key)
		<-gate.Entered
		cancelled, cancel := context.WithCancel(ctx)
		one, other := kit.GoGet(cancelled, g, key), kit.GoGet(ctx, g, key)
		synctest.Wait()
		cancel()
		if out := <-one; !errors.Is(out.Err, context.Canceled) {
			t.Errorf("the cancelled Get returned %v", out.Err)
		}
		m.Nodes[0].Close()
		for _, c := range []<-chan kit.Outcome{running, other} {
			if out := <-c; !errors.Is(out.Err, cachemesh.ErrClosed) && !errors.Is(out.Err, context.Canceled) {
				t.Errorf("Get = %q, %v when the node closed", out.V, out.Err)
			}
		}
		if n := gate.Loads.Load(); n != 1 {
			t.Errorf("%d loads, want 1", n)
		}
	})
}

// TestLoadManyBesideAWrite: a key that is being written is not loaded beside that,
// and costs the others of its call nothing.
func TestLoadManyBesideAWrite(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, d, b := kit.New(t, 1), kit.NewDatabase(), &kit.Bulk{}
		release := make(chan struct{})
		d.Before(func(context.Context, string) error { <-release; return nil })
		g := kit.GroupOn(m, "g", b.Load, cachemesh.GroupOptions[string]{LoadMany: b.LoadMany, Writer: d})[0]
		keys := kit.Numbered("key", 10)
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
		kit.MustGet(t, g, "key4", "value of key4") // loaded already
		if b.Times["key3"] != 0 || len(b.Calls) != 1 || len(b.Calls[0]) != 9 {
			t.Errorf("calls of LoadMany: %v, loads of the key that is written: %d", b.Calls, b.Times["key3"])
		}
		close(release)
		if values := <-done; len(values) != 10 || values["key3"] != "written" || values["key4"] != "value of key4" {
			t.Errorf("GetMany = %v", values)
		}
		b.WantOnce(t, 9)
	})
}

// TestLoadOfAKeyThatLeftAndCameBack: what was read before the key had another owner
// is not stored.
func TestLoadOfAKeyThatLeftAndCameBack(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		r := &row{entered: make(chan struct{}, 2), release: make(chan struct{})}
		first := kit.GroupOn(m, "g", r.load, cachemesh.GroupOptions[int64]{})[0]
		key := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 1)[0]
		old := make(chan int64, 1)
		go func() { v, _ := first.Get(ctx, key); old <- v }()
		<-r.entered // it has read the row
		m.Nodes = append(m.Nodes, m.NewNode(1))
		second, err := cachemesh.NewGroup(m.Nodes[1], "g", r.load, cachemesh.GroupOptions[int64]{})
		kit.Must(t, err)
		kit.Must(t, m.Nodes[1].Start())
		m.Settle(2)
		r.value.Store(1)
		kit.Must(t, second.Delete(ctx, key))
		kit.Must(t, m.Nodes[1].Shutdown(ctx))
		m.Nodes[1] = nil
		m.Settle(1)
		close(r.release)
		if v := <-old; v != 0 {
			t.Errorf("the Get that came first returned %d", v)
		}
		synctest.Wait()
		kit.MustGet(t, first, key, 1)
	})
}
