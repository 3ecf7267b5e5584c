//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/store"
)

func accepts(context.Context, string, *store.Entry) error { return nil }

// A logbook keeps what is logged.
type logbook struct {
	slog.Handler
	mu      sync.Mutex
	records []map[string]slog.Value
}

func (b *logbook) Enabled(context.Context, slog.Level) bool { return true }

func (b *logbook) Handle(_ context.Context, record slog.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	attrs := make(map[string]slog.Value)
	record.Attrs(func(a slog.Attr) bool { attrs[a.Key] = a.Value; return true })
	b.records = append(b.records, attrs)
	return nil
}

func (r *rig) logged() *logbook {
	b := new(logbook)
	r.Log = slog.New(b)
	return b
}

// TestWhyClosed: a group that was closed says so; one whose values are still to be kept
// elsewhere is not settled; a node that closes says that.
func TestWhyClosed(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		if err := r.closedError(); err != errs.ErrGroupClosed || r.IsCut() || r.Open() != nil {
			t.Errorf("closed: %v, cut %t, %v", err, r.IsCut(), r.Open())
		}
		load := r.Origin.Load
		r.Origin.Load = nil
		if err := r.closedError(); err != errs.ErrUnsettled {
			t.Errorf("closed without a loader: %v", err)
		}
		if err := r.calledOff(errOrigin); err != errOrigin {
			t.Errorf("called off: %v", err)
		}
		if r.SetCut(); !r.IsCut() || r.Open() != errs.ErrGroupClosed || r.closedError() != errs.ErrGroupClosed {
			t.Errorf("cut %t: %v, %v", r.IsCut(), r.Open(), r.closedError())
		}
		r.Origin.Load = load
		if err := r.calledOff(errOrigin); err != errOrigin {
			t.Errorf("a load that failed of itself: %v", err)
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if r.Loading = ended; r.calledOff(errOrigin) != errs.ErrGroupClosed || r.calledOff(nil) != nil {
			t.Errorf("called off: %v, %v", r.calledOff(errOrigin), r.calledOff(nil))
		}
		if r.cut.Store(false); r.calledOff(errOrigin) != errOrigin {
			t.Error("called off, and not because the group was closed")
		}
		r.cut.Store(true)
		if r.Life.Close(); r.closedError() != errs.ErrClosed || r.calledOff(errOrigin) != errOrigin {
			t.Errorf("the node closes: %v, %v", r.closedError(), r.calledOff(errOrigin))
		}
	})
}

// TestWhatTheStoreSays is put into words that others understand.
func TestWhatTheStoreSays(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		e := &store.Entry{Key: "k"}
		if err := r.storeError(e, nil); err != nil {
			t.Error(err)
		}
		if err := r.storeError(e, store.ErrClosed); err != errs.ErrGroupClosed {
			t.Error(err)
		}
		if err := r.storeError(e, store.ErrTooLarge); !errors.Is(err, errs.ErrTooLarge) || !strings.Contains(err.Error(), "\"g\"") {
			t.Error(err)
		}
	})
}

// TestOwes: keys that can be loaded are owed, those of a group without a loader are merged.
func TestOwes(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		load := r.Origin.Load
		r.Origin.Load = nil
		r.Owe("k")
		if r.OweAll(); r.Owed.Any() {
			t.Error("owed without a loader")
		}
		r.Origin.Load = load
		if r.Owe("k"); len(r.Owed.keys) != 1 {
			t.Error("not owed")
		}
		if r.OweAll(); !r.Owed.all {
			t.Error("not all owed")
		}
		r.Owed.Take()
		r.notes.most.Store(0)
		if r.Owe("k"); !r.Owed.all {
			t.Error("there is no room for keys, and not all is owed")
		}
	})
}

// TestForgetsFailures of loads, those that explain old values included.
func TestForgetsFailures(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.remembering(time.Second, time.Second)
		note := func() {
			for _, key := range []string{"a", "b"} {
				r.setbacks.note(key, &memo{err: loadError(key), size: 10}, 0)
				r.reasons.explain(key, &memo{err: loadError(key), size: 10})
			}
		}
		note()
		if keys, bytes := r.Remembered(); keys != 2 || bytes != 20 {
			t.Errorf("%d keys, %d bytes", keys, bytes)
		}
		r.forgetFailure("a")
		if r.setbacks.last("a", 0) != nil || r.reasons.reason("a") != nil || r.setbacks.last("b", 0) == nil || r.reasons.reason("b") == nil {
			t.Error("of one key")
		}
		note()
		if r.ForgetFailures(); r.setbacks.held() != 0 || r.reasons.held() != 0 {
			t.Errorf("%d and %d bytes after all was forgotten", r.setbacks.held(), r.reasons.held())
		}
	})
}

// TestSizeOfAPart: what it takes is counted, and it is given other room.
func TestSizeOfAPart(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.remembering(time.Second, time.Second)
		if r.MaxBytes.Load() != 1<<20 || r.notes.most.Load() != 1<<16 {
			t.Errorf("room %d, %d", r.MaxBytes.Load(), r.notes.most.Load())
		}
		st := store.Stats{Bytes: 1 << 30, Unmade: 1 << 10}
		base := st.Bytes - st.Unmade
		if got, want := r.HeldBytes(st), base-r.ShardsCost(); got != want {
			t.Errorf("%d bytes, want %d: no shard was made", got, want)
		}
		r.allShards()
		r.notes.take(1)
		r.Owe("owed")
		r.setbacks.note("k", &memo{err: loadError("k"), size: 10}, 0)
		r.reasons.explain("k", &memo{err: loadError("k"), size: 100})
		if got, want := r.HeldBytes(st), base+1+r.Owed.held()+10+100; got != want || r.Owed.held() == 0 {
			t.Errorf("%d bytes, want %d", got, want)
		}
		r.notes.give(1)
		most := r.Store.MaxEntry()
		r.Resize(Room{All: 7, Books: 8, Failed: 9, Store: 1 << 19})
		if r.MaxBytes.Load() != 7 || r.notes.most.Load() != 8 || r.setbacks.held() != 0 || r.reasons.held() != 0 || r.Store.MaxEntry() >= most {
			t.Error("no other room")
		}
	})
}

// TestComplaints are counted, and logged once a minute.
func TestComplaints(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		log := r.logged()
		r.NoteUnreadable("k", errOrigin)
		if r.NoteUnreadable("k", errOrigin); r.Unreadable.Count.Load() != 2 || len(log.records) != 1 || log.records[0]["key"].String() != "k" {
			t.Errorf("unreadable: %d, logged %v", r.Unreadable.Count.Load(), log.records)
		}
		log.records = nil
		e := &store.Entry{Key: "k", Data: make([]byte, r.Store.MaxEntry())}
		r.noteTooLargeToKeep(e, 0)
		if r.noteTooLargeToKeep(e, 0); r.Counts.TooLarge.Load() != 2 || len(log.records) != 1 {
			t.Fatalf("too large: %d, logged %v", r.Counts.TooLarge.Load(), log.records)
		}
		enough := log.records[0]["max_bytes_needed"].Int64()
		// An entry may take the same part of that as it may of what there is.
		if part := float64(r.Store.MaxEntry()) / float64(r.MaxBytes.Load()); float64(enough)*part < float64(e.Size()) || float64(enough-1<<20)*part >= float64(e.Size()) || enough%(1<<20) != 0 {
			t.Errorf("an entry of %d bytes needs MaxBytes of %d, it says", e.Size(), enough)
		}
		log.records = nil
		panicked := &errs.LoadError{Key: "k", Err: guard.Recovered(strings.Repeat("p", 4*failedText))}
		r.refreshFailed(panicked)
		if last := *r.Counts.RefreshError.Load(); len(last.Error()) > 2*failedText {
			t.Errorf("a stack of %d bytes is kept", len(last.Error()))
		}
		r.refreshFailed(errOrigin)
		if last := *r.Counts.RefreshError.Load(); last != errOrigin || r.Counts.RefreshErrors.Load() != 2 || len(log.records) != 1 {
			t.Errorf("a refresh: %v, %d, logged %v", last, r.Counts.RefreshErrors.Load(), log.records)
		}
		time.Sleep(time.Minute + 1)
		if r.refreshFailed(errOrigin); len(log.records) != 2 {
			t.Errorf("logged %d times in two minutes", len(log.records))
		}
		r.Life.Close()
		r.refreshFailed(errOrigin)
		if r.Counts.RefreshErrors.Load() != 3 {
			t.Error("counted when the node closes")
		}
	})
}
