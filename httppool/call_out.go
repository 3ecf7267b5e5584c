package httppool

import "time"

// outgoing is what of a connection's requests waits to be written. It is guarded by callConn.mu.
type outgoing struct {
	// buf holds the frames that wait; base is the place of its first byte in the stream, so
	// what lies below base was handed to a write.
	buf, spare []byte
	base       uint64
	small      line    // requests for which buf had no room
	large      line    // requests too large for buf, that were not begun
	partial    []*call // those that were, at most maxPartial; they take turns
	unanswered int     // bytes of requests without an answer
	direct     bool    // writes of up to directMax go to a kernel's buffer; never changes
	writing    bool    // someone holds the role of the writer
}

// sentLocked reports whether the peer may have all of the request.
func (o *outgoing) sentLocked(cl *call) bool { return cl.complete && cl.end <= o.base }

// waitingLocked reports whether requests wait that are not in the buffer.
func (o *outgoing) waitingLocked() bool { return o.small.n > 0 || o.large.n > 0 || len(o.partial) > 0 }

// putLocked puts the head of a request into the buffer, and a value that is not large.
func (o *outgoing) putLocked(cl *call, req *Request, timeout time.Duration) {
	cl.start = o.base + uint64(len(o.buf))
	o.buf = appendRequest(o.buf, cl.id(), req, timeout)
	o.countLocked(cl, cl.start)
	if len(req.Value) <= inlineMax {
		cl.complete, cl.req, cl.end = true, nil, o.base+uint64(len(o.buf))
	}
}

// countLocked counts the bytes of cl that were put into the buffer from a place in the stream on.
func (o *outgoing) countLocked(cl *call, from uint64) {
	n := int(o.base + uint64(len(o.buf)) - from)
	cl.bytes += n
	o.unanswered += n
}

// fillLocked moves what waits into the buffer: small requests in the order in which they
// came, as many as there is room for, and one chunk of a large one, that they do not hold
// up. Copying them here keeps the writer from ever reading a request whose caller has left.
func (o *outgoing) fillLocked() {
	if o.small.n > 0 {
		for now := time.Now(); o.small.n > 0 && len(o.buf) <= bufferMax; {
			cl := o.small.next()
			o.putLocked(cl, cl.req, cl.leftAt(now))
		}
	}
	o.chunkLocked()
}

// chunkLocked moves the next chunk of a large request. Those that were begun take turns,
// so that one huge value does not hold up the rest.
func (o *outgoing) chunkLocked() {
	for len(o.partial) < maxPartial && o.large.n > 0 {
		cl := o.large.next()
		o.putLocked(cl, cl.req, cl.leftAt(time.Now()))
		o.partial = append(o.partial, cl)
	}
	if len(o.partial) == 0 {
		return
	}
	cl, from := o.partial[0], o.base+uint64(len(o.buf))
	rest := cl.req.Value[cl.offset:]
	rest = rest[:min(len(rest), chunkMax)]
	o.buf = appendHeader(o.buf, frameData, cl.id(), len(rest))
	o.buf = append(o.buf, rest...)
	cl.offset += len(rest)
	o.countLocked(cl, from)
	copy(o.partial, o.partial[1:])
	last := len(o.partial) - 1
	if o.partial[last] = cl; cl.offset < len(cl.req.Value) {
		return
	}
	cl.complete, cl.req, cl.end = true, nil, o.base+uint64(len(o.buf))
	o.partial[last] = nil
	o.partial = o.partial[:last]
}

// role says what a goroutine must do for the writer after it released the lock.
type role uint8

const (
	roleNone   role = iota
	roleKick        // wake writeLoop, which then is the writer
	roleDirect      // be the writer: calls are under way whose frames may join
	roleAlone       // be the writer: this is the only call
)

// directMax is how many unanswered bytes a caller may have written by itself: so
// few always fit the kernel's buffers, and the write cannot block the caller
// beyond its context.
const directMax = 16 << 10

// takeRoleLocked gives the role of the writer to the caller of it, or to writeLoop
// when the write might block, or to nobody when someone holds it.
func (o *outgoing) takeRoleLocked(inflight int) role {
	switch {
	case o.writing:
		return roleNone
	case !o.direct || o.waitingLocked() || o.unanswered > directMax:
		o.writing = true
		return roleKick
	case inflight > 1:
		o.writing = true
		return roleDirect
	default:
		o.writing = true
		return roleAlone
	}
}
