package owner

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestBooksAreBounded asks for leases beyond the bounds: they are refused, and the
// value is answered all the same; and when leases have lapsed there is room again.
func TestBooksAreBounded(t *testing.T) {
	c := leasingCore("a", "b")
	s := &c.allShards()[0]
	grant := func(key, id string, now int64) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return c.registerLocked(s, key, id, now, now+int64(time.Second))
	}
	for i := range maxBooks {
		if !grant(fmt.Sprint(i), "a", 0) {
			t.Fatalf("key %d gets no lease", i)
		}
	}
	if grant("one more", "a", 0) || len(s.books) != maxBooks {
		t.Errorf("more than %d keys of a shard have leases: %d", maxBooks, len(s.books))
	}
	if !grant("0", "b", 0) || !grant("0", "a", 0) {
		t.Error("a key with leases out gets no further one")
	}
	if grant("1", "stranger", 0) {
		t.Error("who is not in the view gets a lease")
	}
	if n := len(s.books["0"].holders); n != 2 {
		t.Errorf("%d holders noted, want 2", n)
	}
	c.SweepBooks(int64(2 * time.Second))
	if len(s.books) != 0 || !grant("one more", "a", int64(2*time.Second)) {
		t.Errorf("%d books are kept when all leases have lapsed", len(s.books))
	}
}

func TestHoldersAreBounded(t *testing.T) {
	ids := make([]string, maxHolders+1)
	for i := range ids {
		ids[i] = fmt.Sprint("member", i)
	}
	c := leasingCore(ids...)
	s := &c.allShards()[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, id := range ids {
		if got := c.registerLocked(s, "k", id, 0, int64(i+1)); got != (i < maxHolders) {
			t.Fatalf("holder %d: lease %t", i, got)
		}
	}
	if n := len(s.books["k"].holders); n != maxHolders {
		t.Errorf("%d holders", n)
	}
	// Leases that have lapsed make room.
	if !c.registerLocked(s, "k", ids[maxHolders], 10, 20) {
		t.Error("no lease although others have lapsed")
	}
}

// leasingCore is a part whose view has these members.
func leasingCore(ids ...string) *Part {
	var members []quorum.Member
	for _, id := range ids {
		members = append(members, quorum.Member{ID: id, Name: id})
	}
	l, now := life.New(), new(clock.Clock)
	now.Start()
	state, writes := view.NewState(l, now, time.Second)
	writes.Publish(view.New(members, nil, "self", func(string) wire.Peer { return nowhere{} }, true))
	c := new(Part)
	c.Init(Basis{
		Setting: &Setting{Life: l, Log: slog.New(slog.DiscardHandler), Faults: new(faultinject.Faults), Duties: new(Duties)},
		Clock:   now, State: state, Name: "g", Origin: new(origin.Origin),
	}, Room{All: 64 << 20, Books: 1 << 30})
	return c
}

type nowhere struct{}

func (nowhere) Call(context.Context, *httppool.Request, *httppool.Response) error {
	return httppool.ErrUnreachable
}
