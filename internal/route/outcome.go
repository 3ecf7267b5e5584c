package route

import (
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// An Outcome is what a Get found for a key: an entry, or the bytes that a peer
// answered, which the outcomes of other keys may share a buffer with, or an error.
// A *StaleError comes beside a value.
type Outcome struct {
	E     *store.Entry
	Data  []byte
	Found bool // data is a value
	Err   error
}

// OutcomeOf is the outcome of a load, or of a look into the store.
func OutcomeOf(e *store.Entry, err error) Outcome {
	if e != nil && e.Negative {
		e, err = nil, errs.ErrNotFound
	}
	return Outcome{E: e, Err: err}
}
