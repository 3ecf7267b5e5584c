package meshtest

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/anishathalye/porcupine"
)

// A Kind is what a client did to a key.
type Kind uint8

// What clients do.
const (
	Get    Kind = iota // read through the mesh
	Set                // write through the mesh
	Delete             // delete through the mesh
	Write              // write the origin behind the mesh's back
	Load               // read the origin, as the loader
	Store              // write mesh and origin through a Writer; 0: delete
	Clear              // forget the key, with all others
	Peek               // read what the mesh has, if it has something
)

var kindNames = [...]string{"get", "set", "delete", "write origin", "load", "store", "clear", "peek"}

// An Input is one operation on one key.
type Input struct {
	Kind  Kind
	Key   string
	Value int // of Set, Write and Store
}

// An Output is how it ended.
type Output struct {
	Value int  // of Get, Peek and Load; 0: not found
	Maybe bool // of a write: it failed and may be applied yet

	// Refused, of a Store: it failed. The origin may have changed, and the mesh has
	// nothing.
	Refused bool
}

// A History records operations with the order in which they began and ended.
// Its methods are called concurrently.
type History struct {
	clock atomic.Int64
	mu    sync.Mutex // guards ops
	ops   []porcupine.Operation
}

// Begin notes that an operation begins; the function that it returns notes its
// end. An operation that is not ended is left out.
func (h *History) Begin(client int, in Input) (end func(Output)) {
	called := h.clock.Add(1)
	return func(out Output) {
		returned := h.clock.Add(1)
		if out.Maybe {
			returned = math.MaxInt64 // it may take effect at any later time
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: in, Call: called, Output: out, Return: returned})
	}
}

// Operations returns what was recorded.
func (h *History) Operations() []porcupine.Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ops
}

// A register is the state of one key in the model: what the origin has, 0 for no
// row; what the mesh has: a value, 0 for the knowledge that there is no row, or nothing;
// and what a load has read that may be stored yet, or nothing.
type register struct{ origin, cached, loaded int }

const nothing = -1

// holding returns the register with what a write leaves in the mesh, whose loads it voids.
func (r register) holding(v int) register { return register{r.origin, v, nothing} }

// Model returns the model of a mesh whose group loads from the origin, or, with
// loads false, of a plain map. A key is a register that may forget.
//
// A load reads the origin, and the mesh then has its outcome, at once or later while what
// it has is still served, or not: those who wait for it share it as if the mesh had it
// meanwhile. A Get may return what the mesh has, or what the origin has. So a value that
// is neither is stale.
func Model(loads bool) porcupine.Model {
	nm := porcupine.NondeterministicModel{
		Partition: partition,
		Init:      func() []any { return []any{register{0, nothing, nothing}} },
		Step: func(state, input, output any) []any {
			return step(state.(register), input.(Input), output.(Output), loads)
		},
		DescribeOperation: func(input, output any) string {
			in, out := input.(Input), output.(Output)
			return fmt.Sprintf("%s %s %d → %d maybe=%t refused=%t", kindNames[in.Kind], in.Key, in.Value, out.Value, out.Maybe, out.Refused)
		},
	}
	return nm.ToModel()
}

func step(r register, in Input, out Output, loads bool) []any {
	var next []any
	switch in.Kind {
	case Write:
		return []any{register{in.Value, r.cached, r.loaded}}
	case Set:
		next = append(next, r.holding(in.Value))
	case Delete, Clear:
		next = append(next, r.holding(nothing))
	case Store:
		written := register{in.Value, nothing, nothing}
		if out.Refused {
			return []any{r.holding(nothing), written}
		}
		if next = append(next, written.holding(in.Value)); in.Value == 0 {
			next = append(next, written)
		}
		if out.Maybe { // the mesh forgets, before or after
			next = append(next, written, r.holding(nothing))
		}
	case Load:
		if out.Value == r.origin {
			next = append(next, r, r.holding(out.Value), register{r.origin, r.cached, out.Value})
		}
	case Get, Peek: // a Peek finds what a load brought, and can be the first to
		if out.Value == r.cached {
			next = append(next, r)
		}
		if out.Value == r.loaded {
			next = append(next, r.holding(out.Value))
		}
		if loads && out.Value == r.origin {
			next = append(next, r, r.holding(out.Value))
		}
		if !loads && out.Value == 0 {
			next = append(next, r.holding(nothing))
		}
	}
	if out.Maybe {
		next = append(next, r)
	}
	return next
}

func partition(history []porcupine.Operation) [][]porcupine.Operation {
	byKey := make(map[string][]porcupine.Operation)
	for _, op := range history {
		key := op.Input.(Input).Key
		byKey[key] = append(byKey[key], op)
	}
	parts := make([][]porcupine.Operation, 0, len(byKey))
	for _, ops := range byKey {
		parts = append(parts, ops)
	}
	return parts
}
