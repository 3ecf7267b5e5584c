package origin

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A stage is an origin whose loader runs until the test lets it return, in a bubble.
type stage struct {
	*Origin
	mu      sync.Mutex // held while what follows is written; read where all goroutines wait
	started []string   // keys, in the order in which their loads began
	ends    map[string]chan struct{}
	errs    map[string]error // what CallLoad came to
}

// load is one that begins, or waits for its turn.
func (s *stage) load(ctx context.Context, key string, p *Place) {
	if s.ends[key] == nil {
		s.ends[key] = make(chan struct{})
	}
	go func() {
		_, err := s.CallLoad(ctx, key, p, func() {})
		s.mu.Lock()
		defer s.mu.Unlock()
		s.errs[key] = err
	}()
	synctest.Wait()
}

// end lets the loader return for a key.
func (s *stage) end(key string) {
	close(s.ends[key])
	synctest.Wait()
}

// onStage runs f with an origin whose turns are limited.
func onStage(t *testing.T, maxLoads, maxQueued int, f func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{ends: make(map[string]chan struct{}), errs: make(map[string]error)}
		s.Origin = &Origin{Group: "g", Member: "m", Turn: NewTurns(maxLoads, maxQueued), Funcs: Funcs{
			Load: func(_ context.Context, key string) (*store.Entry, error) {
				s.mu.Lock()
				s.started = append(s.started, key)
				s.mu.Unlock()
				<-s.ends[key]
				return new(store.Entry), nil
			},
		}}
		f(t, s)
	})
}

// waits is a place of a load that somebody waits for.
func (s *stage) waits() *Place {
	p := new(Place)
	s.HurryUp(context.Background(), p)
	return p
}
