package route

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
		b := &Batch{Router: &Router{Part: owner.Part{Basis: owner.Basis{Name: "g"}}}, Keys: keys, Outcomes: make([]Outcome, len(keys))}
		k := &wire.Call{Resp: httppool.Response{Value: whole[:cut]}}
		rest := b.take(ask{b.Router, &view.Owner{Name: "peer"}, k}, new(haul), []int32{0, 1, 2})
		answered := 0
		for i := range b.Outcomes {
			if o := &b.Outcomes[i]; o.Found {
				answered++
				if string(o.Data) != "value of "+keys[i] {
					t.Fatalf("%d bytes: %q for %q", cut, o.Data, keys[i])
				}
			}
		}
		if answered+len(rest) != len(keys) || cut < len(whole) && len(rest) == 0 {
			t.Errorf("%d of %d bytes: %d answers, %d to be asked for", cut, len(whole), answered, len(rest))
		}
	}
	// A status of a later version is none that this one could take for a value.
	b := &Batch{Router: &Router{Part: owner.Part{Basis: owner.Basis{Name: "g"}}}, Keys: keys[:1], Outcomes: make([]Outcome, 1)}
	rest := b.take(ask{b.Router, &view.Owner{Name: "peer"}, &wire.Call{Resp: httppool.Response{Value: wire.AppendAnswer(nil, 99, 0, []byte("x"))}}}, new(haul), []int32{0})
	if len(rest) != 1 || b.Outcomes[0].Found {
		t.Errorf("an unknown status became %+v", b.Outcomes[0])
	}
	// Nor is a stale value that is cut.
	rest = b.take(ask{b.Router, &view.Owner{Name: "peer"}, &wire.Call{Resp: httppool.Response{Value: wire.AppendAnswer(nil, wire.StatusOK, wire.FlagStale, []byte{1, 9, 'x'})}}}, new(haul), []int32{0})
	if len(rest) != 1 || b.Outcomes[0].Found {
		t.Errorf("a stale value that is cut became %+v", b.Outcomes[0])
	}
	// Nor one of which a copy was granted.
	rest = b.take(ask{b.Router, &view.Owner{Name: "peer"}, &wire.Call{Resp: httppool.Response{Value: wire.AppendAnswer(nil, wire.StatusOK, wire.FlagKept, []byte{0xff})}}}, new(haul), []int32{0})
	if len(rest) != 1 || b.Outcomes[0].Found {
		t.Errorf("a granted value that is cut became %+v", b.Outcomes[0])
	}
}
