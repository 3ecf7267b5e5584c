//go:build !race

package owner

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// manyOf gives the part a LoadMany that says of each key what row says.
func (r *rig) manyOf(row func(key string) origin.Loaded) (calls *[][]string) {
	calls = new([][]string)
	r.Origin.LoadMany = func(ctx context.Context, keys []string) (map[string]origin.Loaded, error) {
		*calls = append(*calls, keys)
		if r.gate != nil {
			select {
			case <-r.gate:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		rows := make(map[string]origin.Loaded)
		for _, key := range keys {
			if out := row(key); out != (origin.Loaded{}) {
				rows[key] = out
			}
		}
		return rows, nil
	}
	return calls
}

func rowOf(key string) origin.Loaded { return origin.Loaded{Entry: entry(key, "row of "+key)} }

// TestLoadManyTogether: keys are loaded with one call; what each came to is told.
func TestLoadManyTogether(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.remembering(time.Second, 0)
		calls := r.manyOf(func(key string) origin.Loaded {
			switch key {
			case "fails":
				return origin.Loaded{Err: errOrigin}
			case "none":
				return origin.Loaded{}
			case "said":
				return origin.Loaded{Err: errs.ErrNotFound}
			}
			return rowOf(key)
		})
		r.put("there", "v", 0)
		got := make(map[string]string)
		rest := r.LoadMany(context.Background(), []string{"a", "there", "fails", "none", "said"}, func(key string, e *store.Entry, err error) {
			if e != nil {
				got[key] = string(e.Data)
			} else if errors.Is(err, errs.ErrNotFound) {
				got[key] = "none"
			} else if errs.IsOutcome(err) && errors.Is(err, errOrigin) {
				got[key] = "fails"
			}
		})
		want := map[string]string{"a": "row of a", "there": "v", "fails": "fails", "none": "none", "said": "none"}
		if fmt.Sprint(got) != fmt.Sprint(want) || len(rest) != 0 || len(*calls) != 1 || len((*calls)[0]) != 4 || r.held("a") != "row of a" {
			t.Errorf("%v, rest %v, %d calls", got, rest, len(*calls))
		}
		got = make(map[string]string)
		r.LoadMany(context.Background(), []string{"fails"}, func(key string, _ *store.Entry, err error) { got[key] = fmt.Sprint(errors.Is(err, errOrigin)) })
		if got["fails"] != "true" || len(*calls) != 1 {
			t.Errorf("it failed a moment ago: %v, %d calls", got, len(*calls))
		}
		r.believe("another")
		if rest := r.LoadMany(context.Background(), []string{"x"}, nil); len(rest) != 1 || rest[0] != "x" {
			t.Errorf("another's: rest %v", rest)
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Origin.LoadMany = func(context.Context, []string) (map[string]origin.Loaded, error) { return nil, errOrigin }
		r.LoadMany(context.Background(), []string{"a"}, func(_ string, _ *store.Entry, err error) {
			if !errs.IsOutcome(err) || !errors.Is(err, errOrigin) {
				t.Errorf("the call fails: %v", err)
			}
		})
		r.Origin.LoadMany = func(context.Context, []string) (map[string]origin.Loaded, error) { return nil, errs.ErrNotFound }
		r.LoadMany(context.Background(), []string{"a"}, func(_ string, _ *store.Entry, err error) {
			if errs.IsOutcome(err) || !errors.Is(err, errs.ErrNotFound) {
				t.Errorf("none exists: %v", err)
			}
		})
	})
	ruled(t, accepts, func(t *testing.T, r *rig) { // with a Writer a voided load is tried singly
		r.gate = make(chan struct{})
		r.manyOf(rowOf)
		many := began(func() ([]string, error) {
			return r.LoadMany(context.Background(), []string{"a", "b"}, func(key string, e *store.Entry, err error) {
				if key != "b" || err != nil {
					t.Errorf("%s: %v", key, err)
				}
			}), nil
		})
		must(t, r.delete("a"))
		r.gate <- struct{}{}
		if out := <-many; len(out.v) != 1 || out.v[0] != "a" {
			t.Errorf("rest %v", out.v)
		}
		close(r.gate)
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // what moves while it waits too
		r.manyOf(rowOf)
		r.of("a").reserved.reserve("a")
		many := began(func() ([]string, error) { return r.LoadMany(context.Background(), []string{"a"}, nil), nil })
		r.believe("another")
		r.DropLost(r.view)
		if out := <-many; len(out.v) != 1 {
			t.Errorf("rest %v", out.v)
		}
		delete(r.of("a").reserved, "a")
	})
}

// TestLoadManyIsCalledOff when nobody waits for what it loads, and has its time.
func TestLoadManyIsCalledOff(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		calls := r.manyOf(rowOf)
		start := time.Now()
		r.LoadMany(context.Background(), []string{"a"}, func(_ string, _ *store.Entry, err error) {
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > r.LoadTimeout+time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		})
		ctx, cancel := context.WithCancel(context.Background())
		many := began(func() (int, error) {
			n := 0
			r.LoadMany(ctx, []string{"a", "b"}, func(_ string, _ *store.Entry, err error) {
				if err == context.Canceled {
					n++
				}
			})
			return n, nil
		})
		cancel()
		if out := <-many; out.v != 2 || len(*calls) != 2 {
			t.Errorf("%d left, %d calls", out.v, len(*calls))
		}
		loading, callOff := context.WithCancel(context.Background())
		r.Loading = loading
		many = began(func() (int, error) {
			n := 0
			r.LoadMany(context.Background(), []string{"a"}, func(_ string, _ *store.Entry, err error) {
				if errs.IsOutcome(err) {
					n++
				}
			})
			return n, nil
		})
		callOff()
		if out := <-many; out.v != 1 {
			t.Error("loads were called off, and it goes on")
		}
	})
}
