package cachemesh

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/store"
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
	c.sweepBooks(int64(2 * time.Second))
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

// leasingCore is a group whose view has these members.
func leasingCore(ids ...string) *groupCore {
	var members []quorum.Member
	for _, id := range ids {
		members = append(members, quorum.Member{ID: id, Name: id})
	}
	n := newBelieving(members)
	c := &groupCore{node: n, part: part{basis: basis{state: n.state, clock: &n.clock, name: "g", origin: &origin.Origin{}}}}
	c.scatter, c.shardCount = store.NewScatter(), maxShards
	c.bookRoom.Store(1 << 20)
	return c
}

// newBelieving returns a node that believes in these members, and cannot call any.
func newBelieving(members []quorum.Member) *Node {
	n := &Node{}
	n.clock.Start()
	state, writes := view.NewState(life.New(), &n.clock, time.Second)
	n.state = state
	writes.Publish(view.New(members, nil, "self", func(string) wire.Peer { return nowhere{} }, true))
	return n
}

type nowhere struct{}

func (nowhere) Call(context.Context, *httppool.Request, *httppool.Response) error {
	return httppool.ErrUnreachable
}

// TestHintsAreBounded follows hints of peers to addresses that they invent.
func TestHintsAreBounded(t *testing.T) {
	n := &Node{hints: make(map[string]struct{}), peers: nobody{}}
	for i := range 1000 {
		peer := n.hintedPeer(fmt.Sprint("10.0.0.1:", i))
		if (peer != nil) != (i < maxHints) {
			t.Fatalf("hint %d: followed %t", i, peer != nil)
		}
	}
	if n.hintedPeer("10.0.0.1:0") == nil || len(n.hints) != maxHints {
		t.Errorf("%d hints are kept; one that is known is followed", len(n.hints))
	}
}

type nobody struct{}

func (nobody) peer(string) wire.Peer              { return nowhere{} }
func (nobody) forget(string)                      {}
func (nobody) ping(context.Context, string) error { return httppool.ErrUnreachable }

// TestAnswersThatAreCut takes what a peer answers for many keys, cut anywhere: keys
// without an answer are asked for singly, and none gets another's.
func TestAnswersThatAreCut(t *testing.T) {
	keys := []string{"a", "b", "c"}
	var whole []byte
	for _, key := range keys {
		whole = wire.AppendAnswer(whole, wire.StatusOK, 0, []byte("value of "+key))
	}
	for cut := range len(whole) + 1 {
		b := &batch{groupCore: &groupCore{node: &Node{}, part: part{basis: basis{name: "g"}}}, keys: keys, outcomes: make([]outcome, len(keys))}
		k := &wire.Call{Resp: httppool.Response{Value: whole[:cut]}}
		rest := b.take(&view.Owner{Name: "peer"}, []int32{0, 1, 2}, k)
		answered := 0
		for i := range b.outcomes {
			if o := &b.outcomes[i]; o.found {
				answered++
				if string(o.data) != "value of "+keys[i] {
					t.Fatalf("%d bytes: %q for %q", cut, o.data, keys[i])
				}
			}
		}
		if answered+len(rest) != len(keys) || cut < len(whole) && len(rest) == 0 {
			t.Errorf("%d of %d bytes: %d answers, %d to be asked for", cut, len(whole), answered, len(rest))
		}
	}
	// A status of a later version is none that this one could take for a value.
	b := &batch{groupCore: &groupCore{node: &Node{}, part: part{basis: basis{name: "g"}}}, keys: keys[:1], outcomes: make([]outcome, 1)}
	rest := b.take(&view.Owner{Name: "peer"}, []int32{0}, &wire.Call{Resp: httppool.Response{Value: wire.AppendAnswer(nil, 99, 0, []byte("x"))}})
	if len(rest) != 1 || b.outcomes[0].found {
		t.Errorf("an unknown status became %+v", b.outcomes[0])
	}
	// Nor is a stale value that is cut.
	rest = b.take(&view.Owner{Name: "peer"}, []int32{0}, &wire.Call{Resp: httppool.Response{Value: wire.AppendAnswer(nil, wire.StatusOK, wire.FlagStale, []byte{1, 9, 'x'})}})
	if len(rest) != 1 || b.outcomes[0].found {
		t.Errorf("a stale value that is cut became %+v", b.outcomes[0])
	}
}
