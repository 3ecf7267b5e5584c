package cachemeshtest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/httppool"
)

// both runs a test in real time and in a bubble.
func both(t *testing.T, test func(t *testing.T)) {
	t.Run("real time", func(t *testing.T) { t.Parallel(); test(t) })
	t.Run("bubble", func(t *testing.T) { t.Parallel(); synctest.Test(t, test) })
}

// loads counts loader calls, by member and by key.
type loads struct {
	mu      sync.Mutex // guards the fields below
	members map[int]int
	keys    map[string]int
}

func newLoads() *loads {
	return &loads{members: make(map[int]int), keys: make(map[string]int)}
}

func (l *loads) loader(member int) cachemesh.LoaderFunc[string] {
	return func(_ context.Context, key string) (string, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.members[member]++
		l.keys[key]++
		return "value of " + key, nil
	}
}

func (l *loads) total() (loads, keys int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.keys {
		loads += n
	}
	return loads, len(l.keys)
}

// getAll gets keys through each of the given members, side by side.
func getAll(t *testing.T, group func(int) *cachemesh.Group[string], keys int, members ...int) {
	t.Helper()
	var wg sync.WaitGroup
	for _, i := range members {
		wg.Go(func() {
			for k := range keys {
				key := fmt.Sprint("key ", k)
				if got, err := group(i).Get(t.Context(), key); err != nil || got != "value of "+key {
					t.Errorf("Get(%q) on member %d = %q, %v", key, i, got, err)
				}
			}
		})
	}
	wg.Wait()
}

func wantMembers(t *testing.T, c *cachemeshtest.Cluster, i, want int) {
	t.Helper()
	if got := len(c.Node(i).Members()); got != want {
		t.Errorf("member %d sees %d members, want %d", i, got, want)
	}
}

func TestMembersForm(t *testing.T) {
	for _, n := range []int{1, 3, 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			both(t, func(t *testing.T) {
				c := cachemeshtest.New(t, n)
				for i := range n {
					wantMembers(t, c, i, n)
				}
				if c.Len() != n || len(c.Nodes()) != n {
					t.Errorf("Len %d, %d nodes, want %d", c.Len(), len(c.Nodes()), n)
				}
			})
		})
	}
}

func TestEachKeyIsLoadedOnce(t *testing.T) {
	both(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		l := newLoads()
		group := cachemeshtest.Group(c, "g", l.loader, cachemesh.GroupOptions[string]{})
		getAll(t, group, 200, 0, 1, 2)
		if got, keys := l.total(); got != 200 || keys != 200 {
			t.Errorf("%d loads of %d keys, want 200", got, keys)
		}
		for i := range 3 {
			if l.members[i] == 0 {
				t.Errorf("member %d loaded nothing: %v", i, l.members)
			}
		}
	})
}

func TestKillAndRestart(t *testing.T) {
	both(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		l := newLoads()
		group := cachemeshtest.Group(c, "g", l.loader, cachemesh.GroupOptions[string]{})
		getAll(t, group, 100, 0, 1, 2)
		before, _ := l.total()

		c.Kill(2)
		getAll(t, group, 100, 0, 1) // before anyone noticed
		c.Settle()
		wantMembers(t, c, 0, 2)
		if _, err := group(2).Get(t.Context(), "key 1"); !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Get on the killed member: %v", err)
		}
		getAll(t, group, 100, 0, 1)
		settled, _ := l.total()
		getAll(t, group, 100, 0, 1)
		if after, _ := l.total(); after != settled || settled == before {
			t.Errorf("%d loads before the crash, %d after, then %d for the same keys", before, settled, after)
		}

		c.Restart(2)
		c.Settle()
		wantMembers(t, c, 0, 3)
		getAll(t, group, 100, 0, 1, 2)
		settled, _ = l.total()
		getAll(t, group, 100, 2, 1, 0)
		if after, _ := l.total(); after != settled {
			t.Errorf("after the restart keys are loaded again: %d, then %d", settled, after)
		}
	})
}

// A stuckWriter holds up every write until it may go on.
type stuckWriter struct{ entered, release chan struct{} }

func (w stuckWriter) Store(context.Context, string, string) error {
	w.entered <- struct{}{}
	<-w.release
	return nil
}

func (w stuckWriter) Delete(ctx context.Context, key string) error { return w.Store(ctx, key, "") }

// TestKillSaysNothing: whoever waits for a process that crashes loses the connection. It
// hears no last word, which one that closes would have said.
func TestKillSaysNothing(t *testing.T) {
	both(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 2)
		w := stuckWriter{make(chan struct{}), make(chan struct{})}
		l := newLoads()
		group := cachemeshtest.Group(c, "g", l.loader, cachemesh.GroupOptions[string]{Writer: w})
		key := ""
		for k := 0; l.members[1] == 0; k++ {
			key = fmt.Sprint("key ", k)
			if _, err := group(0).Get(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		set := make(chan error, 1)
		go func() { set <- group(0).Set(t.Context(), key, "v", 0) }()
		<-w.entered
		c.Kill(1)
		err := <-set
		if pe, ok := errors.AsType[*cachemesh.PeerError](err); !ok || !pe.MaybeApplied || !errors.Is(err, httppool.ErrConnLost) {
			t.Errorf("a Set that waits for a member that crashes: %v, want a lost connection, maybe applied", err)
		}
		close(w.release)
	})
}

func TestShutdownIsClean(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		l := newLoads()
		group := cachemeshtest.Group(c, "g", l.loader, cachemesh.GroupOptions[string]{})
		getAll(t, group, 50, 0, 1, 2)
		var wg sync.WaitGroup
		wg.Go(func() { c.Shutdown(1) })
		getAll(t, group, 50, 0, 2)
		wg.Wait()
		c.Settle()
		wantMembers(t, c, 0, 2)
		getAll(t, group, 50, 0, 2)
		c.Restart(1)
		c.Settle()
		wantMembers(t, c, 2, 3)
		getAll(t, group, 50, 0, 1, 2)
	})
}
