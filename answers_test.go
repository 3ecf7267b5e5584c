package cachemesh

import (
	"testing"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestAnswersThatAreCut takes what a peer answers for many keys, cut anywhere: keys
// without an answer are asked for singly, and none gets another's.
func TestAnswersThatAreCut(t *testing.T) {
	keys := []string{"a", "b", "c"}
	var whole []byte
	for _, key := range keys {
		whole = wire.AppendAnswer(whole, wire.StatusOK, 0, []byte("value of "+key))
	}
	for cut := range len(whole) + 1 {
		b := &batch{groupCore: &groupCore{node: &Node{}, Part: owner.Part{Basis: owner.Basis{Name: "g"}}}, keys: keys, outcomes: make([]outcome, len(keys))}
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
	b := &batch{groupCore: &groupCore{node: &Node{}, Part: owner.Part{Basis: owner.Basis{Name: "g"}}}, keys: keys[:1], outcomes: make([]outcome, 1)}
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
