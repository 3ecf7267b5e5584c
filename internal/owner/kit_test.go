package owner

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A rig is a part without a mesh: its clock is a bubble's, its view and its right are
// what the test says, and what it asks of other members comes to the test.
type rig struct {
	*Part
	writes view.Writer
	view   *view.View
	row    atomic.Pointer[string] // what the origin has
	gate   chan struct{}          // a load returns when it has got one; nil: at once
	loads  atomic.Int64

	acknowledges atomic.Bool  // holders do
	told         atomic.Int64 // invalidations
	forgotten    atomic.Int64 // keys that whoever owns them was made to forget

	holding func(ctx context.Context, member string, ids []uint64, wait time.Duration) ([]bool, bool, error)
}

// inBubble runs f with a rig in a bubble. With Faults it is a build without safeguards.
func inBubble(t *testing.T, faults faultinject.Faults, write func(context.Context, string, *store.Entry) error, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{Part: new(Part)}
		r.row.Store(new("old"))
		r.acknowledges.Store(true)
		r.holding = func(ctx context.Context, _ string, ids []uint64, wait time.Duration) ([]bool, bool, error) {
			held := make([]bool, len(ids))
			for i := range held {
				held[i] = true
			}
			return held, false, r.Life.Pause(ctx, wait)
		}
		l, now := life.New(), new(clock.Clock)
		now.Start()
		state, writes := view.NewState(l, now, time.Minute)
		r.writes = writes
		values, err := store.New(store.Options{MaxBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		defer values.Close()
		loading, callOff := context.WithCancel(t.Context())
		defer callOff()
		r.Init(Basis{
			Setting: &Setting{Life: l, Log: slog.New(slog.DiscardHandler), Faults: &faults, Duties: &Duties{Poke: func() {}},
				Member: "self", Lease: time.Second, Sessions: session.NewGranted(int64(time.Second), faults.Sessions), Right: 3 * time.Second, AnswerLimit: 1 << 20},
			Clock: now, State: state, Others: r, Loading: loading, Name: "g", Seed: ring.Seed("g"),
			Store: values, Origin: &origin.Origin{Group: "g", Member: "self", Funcs: origin.Funcs{Load: r.load, Write: write}},
			Care: Care{LoadTimeout: 30 * time.Second},
		}, Room{All: 1 << 20, Books: 1 << 16, Failed: 1 << 14, Store: 1 << 20})
		r.believe("self")
		f(r)
		l.Close()
		r.Close()
		l.Wait()
	})
}

// believe makes the part's view one in which a member owns all keys; "holder" is in it too.
func (r *rig) believe(owner string) {
	r.view = view.New([]quorum.Member{{ID: "holder", Name: "holder", Leaving: true}, {ID: owner, Name: owner}}, r.view, "self",
		func(string) wire.Peer { return nowhere{} }, false)
	r.writes.Publish(r.view)
	r.writes.Settle(r.view)
	r.writes.Confirm(math.MaxInt64)
}

func (r *rig) load(ctx context.Context, key string) (*store.Entry, error) {
	r.loads.Add(1)
	row := *r.row.Load()
	if gate := r.gate; gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return &store.Entry{Key: key, Data: []byte(row)}, nil
}

// Invalidate is what holders answer.
func (r *rig) Invalidate(context.Context, *view.Owner, uint64, string) bool {
	r.told.Add(1)
	return r.acknowledges.Load()
}

// InvalidateAll is what holders answer.
func (r *rig) InvalidateAll(ctx context.Context, to *view.Owner) bool {
	return r.Invalidate(ctx, to, 0, "")
}

// Holding is what a member answers that has claims.
func (r *rig) Holding(ctx context.Context, member string, ids []uint64, wait time.Duration) ([]bool, bool, error) {
	return r.holding(ctx, member, ids, wait)
}

// Forget is what the key's new owner answers.
func (r *rig) Forget(context.Context, uint64, string) error {
	r.forgotten.Add(1)
	return nil
}

func (r *rig) hash(key string) uint64 { return ring.Hash(r.Seed, key) }

// get is a Get of a member that owns the key: from memory, or by a load.
func (r *rig) get(key string) (string, error) {
	if err := r.State.MayServe(r.hash(key), r.Clock.Now()); err == nil {
		if e := r.Lookup(r.hash(key), key, r.Clock.Now(), nil); e != nil {
			return string(e.Data), nil
		}
	}
	e, _, err := r.Part.Load(context.Background(), r.hash(key), key)
	if e == nil {
		return "", err
	}
	return string(e.Data), err
}

// held returns what memory has, "" for nothing.
func (r *rig) held(key string) string {
	if e := r.Store.Peek(r.hash(key), key, r.Clock.Now()); e != nil {
		return string(e.Data)
	}
	return ""
}

func (r *rig) set(key, value string) error {
	return r.Write(context.Background(), r.hash(key), key, Change{E: &store.Entry{Key: key, Data: []byte(value)}})
}

func (r *rig) delete(key string) error {
	return r.Write(context.Background(), r.hash(key), key, Change{})
}

// began runs f on a goroutine, and returns what it came to when that is over.
func began[T any](f func() (T, error)) (out chan result[T]) {
	out = make(chan result[T], 1)
	go func() {
		v, err := f()
		out <- result[T]{v, err}
	}()
	synctest.Wait()
	return out
}

type result[T any] struct {
	v   T
	err error
}

var errOrigin = errors.New("the origin refuses")
