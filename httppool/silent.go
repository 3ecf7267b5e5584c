package httppool

// A peer that was stopped, or that a cut hides, takes requests and answers nothing. It
// is found silent within Config.Patience, long before its connection is given up: then
// idempotent calls go another way, and no other call is sent to it. Whatever comes from
// it ends that.

// A hush is what a silent peer was last heard of. Its conn is nil if it was dialled.
type hush struct {
	conn  *callConn
	bytes uint64 // that conn had brought
}

// silent reports whether the peer was found silent and has said nothing since.
func (q *Peer) silent() bool {
	h := q.hushed.Load()
	if h == nil {
		return false
	}
	if h.conn != nil && h.conn.rd.bytes.Load() != h.bytes {
		q.hushed.CompareAndSwap(h, nil)
		return false
	}
	return true
}

// unhush forgets that the peer was silent on a connection that is over, if it has others.
func (q *Peer) unhush(c *callConn) {
	h := q.hushed.Load()
	if h == nil || h.conn != c {
		return
	}
	for i := range q.places {
		if q.places[i].conn.Load() != nil {
			q.hushed.CompareAndSwap(h, nil)
		}
	}
}

// hush notes that the peer is silent on c.
func (q *Peer) hush(c *callConn) { q.hushed.Store(&hush{c, c.rd.bytes.Load()}) }

// heard notes that the peer is not silent, whatever another connection said.
func (q *Peer) heard() { q.hushed.Store(nil) }
