package replica

import (
	"iter"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A holder has copies of others' keys, and does with them what their owners say.
type holder struct {
	*notebook

	// carried is, by member, the number of the latest Drop that was carried out here, or where it began.
	carried map[string]uint64
}

// Digest returns what this member holds of the keys that another owns by the view with
// the given id, and the epoch that what is sent here must bear. Not ok: this member has
// another view. The lines are read before the Core's next method is called.
func (c *holder) Digest(owner string, view uint64) (epoch uint64, lines iter.Seq[Line], ok bool) {
	if epoch, ok = c.Tells(view); !ok {
		return 0, nil, false
	}
	return epoch, func(yield func(Line) bool) {
		c.cfg.Held.Range(func(hash uint64, e *store.Entry) bool {
			return c.view.Owner(hash) != owner || yield(Line{hash, VersionOf(e), e.Negative})
		})
	}, true
}

// Begun says from which number on an owner numbers what it sends: what it sent before comes too late. It is told with what
// asks for a digest, so nothing comes that this does not have.
func (c *holder) Begun(owner string, number uint64) { c.outrun(owner, number) }

// outrun notes that what an owner sent before a number comes too late.
func (c *holder) outrun(owner string, number uint64) {
	if w, ok := c.ids[owner]; ok && number > c.carried[owner] {
		c.carried[c.view.Members[w]] = number // owner may alias a buffer
	}
}

// Handle carries out what an owner wants. The entry of a Store is held as it is; that of
// an answer is shared.
func (c *holder) Handle(from string, s Send) Answer {
	if (c.view.Owner == nil || s.Epoch != c.epoch || c.view.Owner(s.Hash) != from) && !c.faults.OtherView {
		return Answer{Result: Refused}
	}
	if s.Op == Store && s.Number < c.carried[from] && !c.faults.TakeLate {
		return Answer{Result: Late}
	}
	e := c.cfg.Held.Peek(s.Hash)
	version := VersionOf(e)
	switch s.Op {
	case Fetch:
		return Answer{Result: Done, Version: version, Entry: e}
	case Drop:
		c.outrun(from, s.Number)
		if version.After(s.Version) {
			return Answer{Result: Newer, Version: version}
		}
		c.cfg.Held.Delete(s.Hash)
		return Answer{Result: Done}
	case Store:
		if c.gone(s.Version) {
			return Answer{Result: Newer, Version: c.cleared}
		}
		if version.After(s.Version) {
			return Answer{Result: Newer, Version: version}
		}
		if version == s.Version {
			return Answer{Result: Done, Version: s.Version}
		}
		if limit, ok := c.cfg.Held.Takes(s.Entry); !ok {
			return Answer{Result: TooLarge, Limit: limit}
		}
		if !c.cfg.Held.Set(s.Hash, s.Entry) {
			return Answer{} // the group is being closed
		}
		return Answer{Result: Done, Version: s.Version}
	}
	return Answer{Result: Refused}
}
