package route

import (
	"iter"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
)

// Failures gathers the keys of an operation on several that failed.
type Failures struct {
	mu   sync.Mutex
	errs errs.KeyErrors // guarded by mu
}

func (f *Failures) put(key string, err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.errs == nil {
		f.errs = make(errs.KeyErrors)
	}
	f.errs[key] = err
}

// each is Each for a list.
func (f *Failures) each(keys []string, do func(key string) error) { f.Each(slices.Values(keys), do) }

// Each does something for each key, a bounded number at once, and gathers what failed.
func (f *Failures) Each(keys iter.Seq[string], do func(key string) error) {
	var g errgroup.Group
	g.SetLimit(owner.BatchLoaders)
	for key := range keys {
		g.Go(func() error { f.put(key, do(key)); return nil })
	}
	g.Wait()
}

// Err returns the errors as one, nil if there are none.
func (f *Failures) Err() error {
	if len(f.errs) == 0 {
		return nil
	}
	return f.errs
}
