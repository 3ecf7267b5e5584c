package owner

import "github.com/praveenduddu/cachemesh/internal/labels"

// bear notes which tags the value bears of which there are copies. It reports false if there is
// no room for that.
func (r *registry) bear(hash uint64, l *labels.Label, room *allowance) bool {
	hash = max(hash, 1)
	old, had := r.labels[hash]
	if old == l {
		return true
	}
	cost := l.Bytes()
	if !had {
		cost += labelBytes
	}
	if !room.take(cost) {
		return false
	}
	l.Hold()
	if had {
		room.give(old.Bytes())
		old.Release()
	}
	if r.labels == nil {
		r.labels = make(map[uint64]*labels.Label)
	}
	r.labels[hash] = l
	return true
}

// labelOf returns the label of a hash.
func (r *registry) labelOf(hash uint64) *labels.Label { return r.labels[max(hash, 1)] }

// unlabel forgets the label of a hash of which nobody holds a copy.
func (r *registry) unlabel(hash uint64, room *allowance) {
	if l, ok := r.labels[max(hash, 1)]; ok && r.find(hash) < 0 {
		delete(r.labels, max(hash, 1))
		room.give(l.Bytes() + labelBytes)
		l.Release()
	}
}
