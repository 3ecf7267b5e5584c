package copies

import (
	"testing"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// watched is holding, and calls a function when all of it is looked at.
type watched struct {
	holding
	looks func()
}

func (h watched) Range(f func(uint64, *store.Entry) bool) { h.looks(); h.holding.Range(f) }

// TestLongLooksHoldUpNoConnection: a member closes a group, or registers it, or tells of a Clear, and all that is held is looked at.
// A write of another's does not wait for that on the goroutine that reads its connection: who sent it would take this
// member for silent.
func TestLongLooksHoldUpNoConnection(t *testing.T) {
	c, _ := gaining(3)
	looked, held := 0, make(holding)
	for hash := range uint64(3) {
		held[hash] = &store.Entry{Version: store.Version{Clock: 1}}
	}
	s := server{guarded: c.guarded}
	c.core = replica.New(replica.Config{Self: "stays", Copies: 2, Held: watched{held, func() {
		looked++
		body := wire.AppendCopyRequest([]byte{1}, "key", &wire.CopyRequest{Op: wire.CopyStore})
		if s.long.Load() == 0 || s.ServeFast(&httppool.Request{Key: "other", Value: body}, new(httppool.Response)) {
			t.Error("a write would wait")
		}
	}}})
	c.core.Adopt(replica.View{ID: 1, Members: []string{"other", "stays"}, Owner: func(uint64) string { return "stays" },
		Successors: func(_ uint64, n int) []string { return []string{"stays", "other"}[:min(n, 2)] }})
	tell := func(page wire.DigestPage, want int) {
		t.Helper()
		was := looked
		if c.tellDigest("other", c.core.Epoch(), &page, nil, true); looked-was != want {
			t.Errorf("all is looked at %d times, want %d", looked-was, want)
		}
		if s.long.Load() != 0 {
			t.Error("it is long afterwards")
		}
	}
	tell(wire.DigestPage{Epoch: replica.EpochOf(1) + 1}, 0)
	tell(wire.DigestPage{Epoch: replica.EpochOf(1) + 2}, 0)
	tell(wire.DigestPage{Epoch: Apart + 1}, 1)
	tell(wire.DigestPage{Epoch: replica.EpochOf(2) + 1}, 1)
	tell(wire.DigestPage{Epoch: replica.EpochOf(3) + 1}, 2)
	tell(wire.DigestPage{Epoch: replica.EpochOf(3) + 1, Cleared: store.Version{Clock: 1}}, 1)
	tell(wire.DigestPage{Epoch: replica.EpochOf(3) + 2, Cleared: store.Version{Clock: 1}}, 0)
}
