package replica

import "github.com/praveenduddu/cachemesh/internal/store"

// A member that cannot hold a value says so: its store takes less in one entry, or its peers may send
// it less. Then the next successors have the value in its place; where fewer are left than shall have
// it, it is not written, or, with Config.Fewer, as many will do as can hold it.
//
// The schedule it defends against: a member has the former value and cannot hold the next one, which
// its owner alone has. The owner crashes, and the former value is there again. So all that have something
// older drop it before the value is shown, unless as many have it as shall.

// unable are those that cannot hold what is written.
type unable struct {
	who   []who
	told  []who  // those that were told to drop what they have
	id    string // the last one of them
	limit Limit  // what is in its way
}

// Unable returns who cannot hold what is written.
func (w *Write) Unable() []who {
	if w.unable == nil {
		return nil
	}
	return w.unable.who
}

// Limit returns the ID of a member that cannot hold what is written, and what is in the way.
func (w *Write) Limit() (id string, l Limit) {
	if w.unable == nil {
		return "", Limit{}
	}
	return w.unable.id, w.unable.limit
}

// Restore is Renew with what the key had before: who could not hold the other may hold that.
func (w *Write) Restore(e *store.Entry) {
	w.Renew(e)
	w.unable = nil
}

func (w *Write) refusedBy(from who, id string, l Limit) {
	if w.unable == nil {
		w.unable = new(unable)
	}
	w.unable.who, w.unable.id, w.unable.limit = with(w.unable.who, from), id, l
}
