package meshtest

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// A register is the state of one key in the model: what the origin has, 0 for no
// row; what the mesh has: a value, 0 for the knowledge that there is no row, or nothing;
// and what a load has read that may be stored yet, or nothing.
type register struct{ origin, cached, loaded int }

const nothing = -1

// without returns the register when all is forgotten that bears the tag of v.
func (r register) without(v int) register {
	for _, has := range []*int{&r.cached, &r.loaded} {
		if *has > 0 && TagOf(*has) == TagOf(v) {
			*has = nothing
		}
	}
	return r
}

// holding returns the register with what a write leaves in the mesh, whose loads it voids.
func (r register) holding(v int) register { return register{r.origin, v, nothing} }

// Model returns the model of a mesh whose group loads from the origin, or, with
// loads false, of a plain map. A key is a register that may forget.
//
// A load reads the origin, and the mesh then has its outcome, at once or later while what
// it has is still served, or not: those who wait for it share it as if the mesh had it
// meanwhile. A Get may return what the mesh has, or what the origin has. So a value that
// is neither is stale.
func Model(loads bool) porcupine.Model { return ModelOf(Rules{Loads: loads}) }

// Rules say what a mesh may do.
type Rules struct {
	Loads bool // the group loads from the origin; else it is a plain map
	Keeps bool // a plain map does not forget
}

// ModelOf is Model of a mesh that keeps to these rules.
func ModelOf(rules Rules) porcupine.Model {
	nm := porcupine.NondeterministicModel{
		Partition: partition,
		Init:      func() []any { return []any{register{0, nothing, nothing}} },
		Step: func(state, input, output any) []any {
			return step(state.(register), input.(Input), output.(Output), rules)
		},
		DescribeOperation: func(input, output any) string {
			in, out := input.(Input), output.(Output)
			return fmt.Sprintf("%s %s %d → %d maybe=%t refused=%t", kindNames[in.Kind], in.Key, in.Value, out.Value, out.Maybe, out.Refused)
		},
	}
	return nm.ToModel()
}

func step(r register, in Input, out Output, rules Rules) []any {
	next := stepIf(r, in, out, rules)
	switch in.Kind {
	case Write:
		return []any{register{in.Value, r.cached, r.loaded}}
	case Set:
		next = append(next, r.holding(in.Value))
	case Delete, Clear:
		next = append(next, r.holding(nothing))
	case Remove:
		next = append(next, r.without(in.Value))
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
		if rules.Loads && out.Value == r.origin {
			next = append(next, r, r.holding(out.Value))
		}
		if !rules.Loads && out.Value == 0 && (!rules.Keeps || r.cached == nothing) {
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

// Step is what Add adds: more than any value that clients write.
const Step = 1 << 32

// candidates are what a key may have, as a Get would find it: 0 for nothing.
func (r register) candidates(rules Rules) (list []int) {
	if r.cached != nothing {
		list = append(list, r.cached)
	}
	if r.loaded != nothing {
		list = append(list, r.loaded)
	}
	if rules.Loads {
		list = append(list, r.origin)
	}
	if !rules.Loads && (!rules.Keeps || r.cached == nothing) {
		list = append(list, 0)
	}
	return list
}

// stepIf is step for operations that depend on what the key has.
func stepIf(r register, in Input, out Output, rules Rules) (next []any) {
	for _, has := range r.candidates(rules) {
		switch in.Kind {
		case Add:
			if out.Maybe || out.Value == has+Step {
				next = append(next, r.holding(has+Step))
			}
		case Take:
			switch {
			case has == 0 && out.Value == 0:
				next = append(next, r, r.holding(0))
			case has != 0 && (out.Maybe || out.Value == has):
				next = append(next, r.holding(nothing))
			}
		case SetNew:
			switch {
			case has == 0 && (out.Maybe || out.Done):
				next = append(next, r.holding(in.Value))
			case has != 0 && !out.Done:
				next = append(next, r, r.holding(has))
			}
		case Swap:
			if out.Maybe || out.Value == has {
				next = append(next, r.holding(in.Value))
			}
		}
	}
	return next
}

// TagOf is the tag of a value: half of all values bear it.
func TagOf(v int) string { return fmt.Sprint("tag", v%2) }

// Tags are the GroupOptions.Tags of groups whose clients delete tags.
func Tags(_ string, v int) []string { return []string{TagOf(v)} }
