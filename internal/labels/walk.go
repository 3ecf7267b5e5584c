package labels

// walkChunk bounds how many labels are looked at under the lock at a time.
const walkChunk = 4096

// A Walk goes through the keys that bore a tag when it began. What comes meanwhile it leaves
// out; what goes meanwhile it may leave out. It takes no memory but that of one chunk.
type Walk struct {
	x     *Index
	tag   string
	part  int    // 0: the tag's own list; 1: that of tags without one; 2: labels that bear all
	after uint64 // stamps up to this were looked at, in this part
	until uint64
}

// Walk begins to go through the keys that bear a tag. Every label that was held when it is
// called, and still is when it is reached, will be met.
func (x *Index) Walk(tag string) *Walk {
	x.mu.Lock()
	defer x.mu.Unlock()
	return &Walk{x: x, tag: tag, until: x.stamp}
}

// Next appends some more keys to dst. It reports false at the end. A tag that gets a list of
// its own meanwhile has those labels there that came later.
func (w *Walk) Next(dst []string) (keys []string, more bool) {
	w.x.mu.Lock()
	defer w.x.mu.Unlock()
	for seen := 0; w.part < 3; w.part, w.after = w.part+1, 0 {
		from := w.after
		for k := w.startLocked(); k != nil && k.label.stamp <= w.until; k = k.newer {
			if k.label.stamp <= from {
				continue
			}
			if seen++; seen > walkChunk && k.label.stamp != w.after { // a label may have several links here
				return dst, true
			}
			w.after = k.label.stamp
			if w.part != 1 || k.name == w.tag {
				dst = append(dst, k.label.key)
			}
		}
	}
	return dst, false
}

func (w *Walk) startLocked() *link {
	switch w.part {
	case 0:
		if at := w.x.tags[w.tag]; at != nil {
			return at.oldest
		}
		return nil
	case 1:
		return w.x.others.oldest
	}
	return w.x.unknown.oldest
}
