package store

// queue is a list of entries, by age or last look. The store's mu guards it.
type queue struct {
	oldest, newest *Entry
	n              int
}

func (q *queue) push(e *Entry) {
	e.older, e.newer = q.newest, nil
	if q.newest == nil {
		q.oldest = e
	} else {
		q.newest.newer = e
	}
	q.newest = e
	q.n++
}

// remove takes out e, which must be in the queue.
func (q *queue) remove(e *Entry) {
	if e.older == nil {
		q.oldest = e.newer
	} else {
		e.older.newer = e.newer
	}
	if e.newer == nil {
		q.newest = e.older
	} else {
		e.newer.older = e.older
	}
	e.older, e.newer = nil, nil
	q.n--
}
