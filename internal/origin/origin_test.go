package origin

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

var errDown = errors.New("the database is down")

// TestWhatALoadCameTo: a not-found is no failure, and all else is one, which says whose.
func TestWhatALoadCameTo(t *testing.T) {
	for name, c := range map[string]struct {
		load   func() (*store.Entry, error)
		failed uint64
		panics bool
		is     error
	}{
		"a value":   {load: func() (*store.Entry, error) { return new(store.Entry), nil }},
		"absent":    {load: func() (*store.Entry, error) { return nil, fmt.Errorf("row: %w", errs.ErrNotFound) }, is: errs.ErrNotFound},
		"a failure": {load: func() (*store.Entry, error) { return nil, errDown }, failed: 1, is: errDown},
		"a panic":   {load: func() (*store.Entry, error) { panic(errDown) }, failed: 1, panics: true, is: errDown},
		"both": {load: func() (*store.Entry, error) { return nil, errors.Join(errs.ErrNotFound, errDown) }, failed: 1,
			is: errDown},
	} {
		t.Run(name, func(t *testing.T) {
			returned := 0
			o := &Origin{Group: "g", Member: "m", Turn: NewTurns(1, 0)}
			o.Load = func(ctx context.Context, key string) (*store.Entry, error) {
				if key != "k" || !HoldsTurn(ctx, "g") {
					t.Errorf("load of %q, with a turn: %v", key, HoldsTurn(ctx, "g"))
				}
				return c.load()
			}
			for range 2 { // the turn is given back
				e, err := o.CallLoad(t.Context(), "k", new(Place), func() { returned++ })
				if (e != nil) != (c.is == nil) || !errors.Is(err, c.is) {
					t.Errorf("CallLoad = %v, %v", e, err)
				}
				loadErr, isLoad := errors.AsType[*errs.LoadError](err)
				if isLoad != (c.failed > 0) {
					t.Errorf("%v is a LoadError: %v", err, isLoad)
				} else if isLoad && (loadErr.Group != "g" || loadErr.Member != "m" || loadErr.Key != "k" || loadErr.Panic != c.panics ||
					errors.Is(err, errs.ErrNotFound)) {
					t.Errorf("%+v", loadErr)
				}
			}
			if loads, failed := o.Counts.Loads.Load(), o.Counts.Failed.Load(); loads != 2 || failed != 2*c.failed || returned != 2 {
				t.Errorf("%d loads, %d failed, %d returned", loads, failed, returned)
			}
		})
	}
}

func TestWhatLoadManyCameTo(t *testing.T) {
	ok, absent, bad := Loaded{Entry: new(store.Entry)}, Loaded{Err: errs.ErrNotFound}, Loaded{Err: errDown}
	for name, c := range map[string]struct {
		outcomes map[string]Loaded
		err      error
		failed   uint64
	}{
		"values":            {outcomes: map[string]Loaded{"a": ok, "b": absent}},
		"one failed":        {outcomes: map[string]Loaded{"a": ok, "b": bad}, failed: 1},
		"all failed":        {err: errDown, failed: 1},
		"nothing was found": {err: errs.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			returned := 0
			o := &Origin{Group: "g", Turn: NewTurns(1, 0)}
			o.LoadMany = func(ctx context.Context, keys []string) (map[string]Loaded, error) {
				if len(keys) != 2 || !HoldsTurn(ctx, "g") {
					t.Errorf("%v, with a turn: %v", keys, HoldsTurn(ctx, "g"))
				}
				return c.outcomes, c.err
			}
			for range 2 {
				outcomes, err := o.CallLoadMany(t.Context(), []string{"a", "b"}, new(Place), func() { returned++ })
				if len(outcomes) != len(c.outcomes) || !errors.Is(err, c.err) {
					t.Errorf("CallLoadMany = %v, %v", outcomes, err)
				}
			}
			if loads, failed := o.Counts.Loads.Load(), o.Counts.Failed.Load(); loads != 2 || failed != 2*c.failed || returned != 2 {
				t.Errorf("%d loads, %d failed, %d returned", loads, failed, returned)
			}
		})
	}
}

// Who gets no turn is told, and the function is not called: neither counts as a load.
func TestNoTurn(t *testing.T) {
	o := &Origin{Group: "g", Turn: NewTurns(1, 0)}
	if err := o.Turn.take(t.Context(), new(Place)); err != nil {
		t.Fatal(err)
	}
	returned := 0
	_, err := o.CallLoad(t.Context(), "k", new(Place), func() { returned++ })
	if _, ok := errors.AsType[*errs.LoadError](err); !ok || !errors.Is(err, errs.ErrOverloaded) {
		t.Errorf("CallLoad: %v", err)
	}
	if _, err := o.CallLoadMany(t.Context(), []string{"k"}, new(Place), func() { returned++ }); !errors.Is(err, errs.ErrOverloaded) {
		t.Errorf("CallLoadMany: %v", err)
	}
	if n := o.Counts.Loads.Load(); n != 0 || returned != 2 {
		t.Errorf("%d loads, %d returned", n, returned)
	}
}

// A turn is held until the loader returns, not until its caller gives up.
func TestTurnOfALoaderThatIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		returned := false
		o := &Origin{Group: "g", Turn: NewTurns(1, 0)}
		o.Load = func(context.Context, string) (*store.Entry, error) { <-end; return nil, nil }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := o.CallLoad(ctx, "k", new(Place), func() { returned = true }); !errors.Is(err, context.DeadlineExceeded) || returned {
			t.Fatalf("%v, returned %v", err, returned)
		}
		if err := o.Turn.take(t.Context(), new(Place)); !errors.Is(err, errs.ErrOverloaded) {
			t.Errorf("a turn beside a loader that still runs: %v", err)
		}
		close(end)
		synctest.Wait()
		if err := o.Turn.take(t.Context(), new(Place)); err != nil || !returned {
			t.Errorf("%v, returned %v", err, returned)
		}
	})
}

func TestTimesOfLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &Origin{}
		took := time.Second
		o.Load = func(context.Context, string) (*store.Entry, error) { time.Sleep(took); return new(store.Entry), nil }
		o.LoadMany = func(context.Context, []string) (map[string]Loaded, error) { time.Sleep(took); return nil, nil }
		for _, took = range []time.Duration{2 * time.Second, 5 * time.Second, 3 * time.Second} {
			_, _ = o.CallLoad(t.Context(), "k", new(Place), func() {})
		}
		if all, most := o.Counts.Took.Sum(), o.Counts.Most.Load(); all != 10*time.Second || most != int64(5*time.Second) {
			t.Errorf("all %v, the longest %v", time.Duration(all), time.Duration(most))
		}
		took = 6 * time.Second
		_, _ = o.CallLoadMany(t.Context(), nil, new(Place), func() {})
		if all, most := o.Counts.Took.Sum(), o.Counts.Most.Load(); all != 16*time.Second || most != int64(6*time.Second) {
			t.Errorf("all %v, the longest %v", time.Duration(all), time.Duration(most))
		}
	})
}

func TestWhatAWriteCameTo(t *testing.T) {
	var give func() error
	returned, wrote := 0, 0
	o := &Origin{Group: "g", Member: "m"}
	e := new(store.Entry)
	o.Write = func(_ context.Context, key string, got *store.Entry) error {
		if wrote++; key != "k" || got != e {
			t.Errorf("write of %q, %v", key, got)
		}
		return give()
	}
	write := func() error { return o.CallWriter(t.Context(), "k", e, func() { returned++ }) }
	give = func() error { return nil }
	if err := write(); err != nil {
		t.Error(err)
	}
	for panics, f := range map[bool]func() error{false: func() error { return errDown }, true: func() error { panic(errDown) }} {
		give = f
		err := write()
		we, ok := errors.AsType[*errs.WriteError](err)
		if !ok || we.Group != "g" || we.Member != "m" || we.Key != "k" || we.Panic != panics || !errors.Is(err, errDown) {
			t.Errorf("%+v", err)
		}
	}
	if returned != 3 || wrote != 3 {
		t.Errorf("%d returned, %d wrote", returned, wrote)
	}
}
