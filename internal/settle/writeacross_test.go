package settle_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A stubborn Writer takes its time whatever its context says.
type stubborn struct {
	mu      sync.Mutex // guards the fields below
	rows    map[string]string
	running map[string]int
	most    int           // at once for one key
	takes   time.Duration // of the next Stores
}

func (s *stubborn) Store(_ context.Context, key, v string) error {
	s.mu.Lock()
	s.running[key]++
	s.most = max(s.most, s.running[key])
	takes := s.takes
	s.mu.Unlock()
	time.Sleep(takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[key] = v
	s.running[key]--
	return nil
}

func (s *stubborn) Delete(ctx context.Context, key string) error { return s.Store(ctx, key, "") }

func (s *stubborn) load(_ context.Context, key string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.rows[key]; v != "" {
		return v, nil
	}
	return "", cachemesh.ErrNotFound
}

func (s *stubborn) take(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takes = d
}

// TestWriterOutlivesItsView: a Set fails while the Writer is still at work, the key moves
// to a member that joins, and another Set returns nil. Nothing undoes that, and no two
// Writers of a key run at once while the members agree.
func TestWriterOutlivesItsView(t *testing.T) {
	for _, leave := range []bool{false, true} {
		t.Run(fmt.Sprint("leave=", leave), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				w := &stubborn{rows: map[string]string{}, running: map[string]int{}}
				o := cachemesh.GroupOptions[string]{Writer: w, LoadTimeout: 4 * time.Second}
				m := kit.New(t, 4)
				g := kit.GroupOn(m, "g", w.load, o)
				keys := kit.Numbered("key", 40)
				w.take(3 * time.Second)
				setAll(ctx, g[0], keys, "first", 500*time.Millisecond)
				if leave {
					leaver := m.Nodes[3]
					m.Nodes, g = m.Nodes[:3], g[:3]
					go leaver.Shutdown(ctx)
				} else {
					n := m.NewNode(4)
					joined, err := cachemesh.NewGroup(n, "g", w.load, o)
					kit.Must(t, err)
					m.Nodes, g = append(m.Nodes, n), append(g, joined)
					go n.Start()
				}
				w.take(0)
				w.mu.Lock()
				w.most = 0
				w.mu.Unlock()
				time.Sleep(time.Second)
				second := setAll(ctx, g[1], keys, "second", 8*time.Second)
				time.Sleep(5 * time.Second)
				undone, said := 0, 0
				for i, key := range keys {
					if second[i] != nil {
						said++
						continue
					}
					if v, err := g[2].Get(ctx, key); v != "second" || w.rows[key] != "second" {
						if undone++; undone < 3 {
							t.Errorf("%q: Set of \"second\" returned nil; Get = %q, %v and the row is %q", key, v, err, w.rows[key])
						}
					}
				}
				t.Logf("of %d Sets %d were undone, %d said that they may be; %d Writers of a key at once", len(keys), undone, said, w.most)
				if w.most > 1 {
					t.Errorf("%d Writers of one key ran at once", w.most)
				}
			})
		})
	}
}

// setAll sets all keys side by side.
func setAll(ctx context.Context, g *cachemesh.Group[string], keys []string, v string, patience time.Duration) []error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	errs := make([]error, len(keys))
	var all sync.WaitGroup
	for i, key := range keys {
		all.Go(func() { errs[i] = g.Set(ctx, key, v, 0) })
	}
	all.Wait()
	return errs
}
