package replica

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// An Op is what an owner wants of another member.
type Op uint8

const (
	Store Op = iota + 1 // hold Entry
	Drop                // hold nothing up to Version
	Fetch               // answer with what is held
)

// A Send is a request to another member. What became of it must be told with Answered,
// exactly once.
type Send struct {
	Op      Op
	To      string
	Hash    uint64
	Version store.Version
	Entry   *store.Entry // with Store; shared, and not to be changed
	Epoch   uint64       // of the receiver
	Number  uint64       // counts what this member sends

	from  uint64 // the sender's epoch
	write *Write // that it is part of; nil for repairs
}

// A Result is what became of a Send at its receiver.
type Result uint8

const (
	NoAnswer Result = iota // none came: it may be carried out yet
	Done                   // carried out; with Fetch, Entry is what is held, nil for nothing
	Newer                  // not carried out: Version is held
	Late                   // not carried out: it was sent before something that was carried out
	Refused                // not carried out: the receiver has another view
	Unsent                 // none came, and it never is carried out
	TooLarge               // not carried out: Limit is in the way. With Fetch the answer is larger than the owner takes
)

// A Limit is what of an entry is more than a member can hold.
type Limit struct {
	Of    Measure
	Bytes int64 // at most
}

// A Measure is one of an entry. The numbers are part of the protocol.
type Measure uint8

const (
	OfEntry Measure = iota + 1 // all that it takes in the store
	OfValue                    // its value, as peers may send it
)

// An Answer is what a receiver says to a Send.
type Answer struct {
	Result  Result
	Version store.Version
	Entry   *store.Entry
	Limit   Limit // with TooLarge

	// Again says that it may have been carried out before it was Refused, or TooLarge: it was asked twice.
	Again bool
}

// A State is how far a write is.
type State uint8

const (
	Waiting State = iota // answers are to come
	Enough               // as many members have it as should: it may be installed
	Short                // too few answered: it may be applied
	Unheld               // too few can hold it: see Write.Unable
	Outdone              // somebody has something newer: Renew
	Stopped              // the view has changed: it may be applied
)

// A Write is one write of a key on its way to those that shall hold copies. Of a key there
// is one at a time.
type Write struct {
	hash  uint64
	entry *store.Entry
	epoch uint64

	asked   []string        // everyone that may have it
	bore    []store.Version // what was written before Renew, of which somebody may have each
	noted   []who           // of these, those that had no older value that is noted
	has     []holding       // everyone that has it
	pending int             // answers that are to come
	newest  store.Version   // that somebody has, above that of entry
	stopped bool
	unable  *unable // nil: nobody has said that it cannot hold it

	// What asked, noted, has and the result of Next are in at first.
	askedRoom [2]string
	hasRoom   [2]holding
	notedRoom [2]who
	sends     [2]Send
}

// holding says who has what is written, and what epoch it had.
type holding struct {
	id    string
	epoch uint64
}

func newWrite(hash uint64, e *store.Entry, epoch uint64) *Write {
	w := &Write{hash: hash, entry: e, epoch: epoch}
	w.asked, w.has, w.noted = w.askedRoom[:0], w.hasRoom[:0], w.notedRoom[:0]
	return w
}

func (w *Write) answered(s Send, a Answer) {
	if s.Version != VersionOf(w.entry) {
		return
	}
	w.pending--
	switch a.Result {
	case Done:
		w.has = append(w.has, holding{s.To, s.Epoch})
	case Newer:
		w.outdo(a.Version)
	case Late, Unsent: // once more, if it is not passed over
		w.unask(s.To)
	case Refused:
		w.stopped = true
		if !a.Again {
			w.unask(s.To)
		}
	case TooLarge:
		if !a.Again {
			w.unask(s.To)
		}
	}
}

func (w *Write) unask(id string) {
	w.asked = slices.DeleteFunc(w.asked, func(other string) bool { return other == id })
}

// Nowhere reports whether certainly nobody has or gets what was written.
func (w *Write) Nowhere() bool { return len(w.asked) == 0 && len(w.bore) == 0 }

func (w *Write) outdo(v store.Version) {
	if v.After(w.newest) {
		w.newest = v
	}
}

// Renew gives a write another entry, with a version above what somebody has, which is
// Version of the answers.
func (w *Write) Renew(e *store.Entry) {
	if len(w.asked) > 0 {
		w.bore = append(w.bore, VersionOf(w.entry))
	}
	w.entry, w.asked, w.noted, w.has, w.pending = e, nil, nil, nil, 0
	if w.unable != nil {
		w.unable.told = nil
	}
}

// Newest returns the version that outdid a write.
func (w *Write) Newest() store.Version { return w.newest }
