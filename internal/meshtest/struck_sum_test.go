package meshtest

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/anishathalye/porcupine"
)

// A struckSum adds up what histories of one blow showed.
type struckSum struct {
	histories, bad, ops, reads, old, failed int
}

func (s struckSum) String() string {
	return fmt.Sprintf("%d histories, %d of them not linearizable; %d operations, %d of %d reads old, %d operations failed",
		s.histories, s.bad, s.ops, s.old, s.reads, s.failed)
}

func (s *struckSum) check(t *testing.T, sc scenario, st blow, seed uint64) {
	t.Helper()
	var out struckOutcome
	synctest.Test(t, func(t *testing.T) { out = playBlow(t, sc, st, seed) })
	if out.disturbed {
		return
	}
	ops := out.history.Operations()
	reads, old := oldReads(ops, !st.alone || !sc.loads)
	s.histories, s.ops, s.reads, s.old, s.failed = s.histories+1, s.ops+len(ops), s.reads+reads, s.old+old, s.failed+out.failed
	// Outside the bubble, whose clock would not go on while the checker works.
	if r := porcupine.CheckOperationsTimeout(Model(sc.loads), ops, checkTime); r != porcupine.Ok {
		s.bad++
		if (sc.through || st.alone && sc.loads) && old == 0 {
			// Who cannot reach the owner loads the row, which a Writer that is under way may
			// have written already: such a write is seen early. None that returned is missed.
			return
		}
		t.Errorf("not linearizable: %v, %d of %d reads old; %d operations failed, first: %v; replay with -seed %d -run '%s'\nfaults:\n%s%s",
			r, old, reads, out.failed, out.first, seed, t.Name(), out.faults, explain(sc.loads, ops, checkTime))
	}
}

// oldReads counts reads that returned a value though a write that superseded it had
// returned nil before they began. It finds less than the checker, and says how bad it is.
// Without sets, only writes of the origin and Deletes count.
func oldReads(ops []porcupine.Operation, sets bool) (reads, old int) {
	for _, keyOps := range partition(ops) {
		ends := make(map[int]int64) // of a value: when the last write of it ended
		for _, op := range keyOps {
			if in := op.Input.(Input); in.Value != 0 {
				ends[in.Value] = max(ends[in.Value], op.Return)
			}
		}
		var firm []porcupine.Operation // writes after which nobody may see what was before
		for _, op := range keyOps {
			in, out := op.Input.(Input), op.Output.(Output)
			isFirm := in.Kind == Set && sets || in.Kind == Store || in.Kind == Delete
			if isFirm && !out.Maybe && !out.Refused {
				firm = append(firm, op)
			}
		}
		for _, op := range keyOps {
			in, v := op.Input.(Input), op.Output.(Output).Value
			if in.Kind != Get && in.Kind != Peek {
				continue
			}
			reads++
			if v != 0 && superseded(keyOps, firm, v, ends[v], op.Call) {
				old++
			}
		}
	}
	return reads, old
}

// superseded reports whether a value, whose last write ended at a time, was overwritten
// before another time. Who deletes what can be loaded again has changed the row before.
func superseded(ops, firm []porcupine.Operation, v int, wrote, before int64) bool {
	for _, w := range firm {
		if w.Call <= wrote || w.Return >= before || w.Input.(Input).Value == v {
			continue
		}
		if w.Input.(Input).Kind != Delete || !anyRow(ops) {
			return true
		}
		for _, row := range ops {
			if in := row.Input.(Input); in.Kind == Write && in.Value != v && row.Call > wrote && row.Return < w.Call {
				return true
			}
		}
	}
	return false
}

func anyRow(ops []porcupine.Operation) bool {
	for _, op := range ops {
		if op.Input.(Input).Kind == Write {
			return true
		}
	}
	return false
}
