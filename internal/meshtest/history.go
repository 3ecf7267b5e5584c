package meshtest

import (
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
	Add                // add Step to what the key has
	Take               // delete it, and return what it had
	SetNew             // set it, if it has nothing
	Swap               // set it, and return what it had
	Remove             // forget what the mesh has if it bears a tag: see TagOf
)

var kindNames = [...]string{"get", "set", "delete", "write origin", "load", "store", "clear", "peek", "add", "take", "set new", "swap", "remove"}

// An Input is one operation on one key.
type Input struct {
	Kind  Kind
	Key   string
	Value int // of Set, Write, Store, SetNew and Swap; of Remove a value that bears the tag
}

// An Output is how it ended.
type Output struct {
	Value int  // of Get, Peek, Load, Take and Swap; 0: not found; of Add the sum
	Done  bool // of SetNew: it had nothing
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
