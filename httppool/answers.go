package httppool

// answers are what of a connection's answers waits to be written. It is guarded by serveConn.mu.
type answers struct {
	buf, spare []byte // frames that wait to be written
	large      []largeAnswer
	// Answers for which there is no room, in the order in which they came: small ones, and
	// large ones. Each has a goroutine that waits for it.
	line [2][]waitingAnswer
}

// largeAnswer is the value of an answer whose head was put in the buffer, or waits to
// be. It is written from where it lies.
type largeAnswer struct {
	id      uint32
	rest    []byte
	carried bool // of a call of the connection that this one is the carrier of
}

// maxLarge is how many large answers of one connection may wait to be written.
const maxLarge = 64

// A waitingAnswer is one that found no room.
type waitingAnswer struct {
	id      uint32
	resp    *Response
	carried bool
	done    chan struct{} // closed when it was put in the buffer, or the connection ended
}

// lineOf returns in which line an answer waits: small ones do not wait for large ones.
func lineOf(resp *Response) int {
	if len(resp.Value) > inlineMax {
		return 1
	}
	return 0
}

// crammedLocked reports whether answers of a line must wait.
func (a *answers) crammedLocked(line int) bool {
	return len(a.buf) > bufferMax || line == 1 && len(a.large) >= maxLarge
}

// roomLocked reports whether an answer can be put in the buffer now, past nobody.
func (a *answers) roomLocked(resp *Response) bool {
	line := lineOf(resp)
	return len(a.line[line]) == 0 && !a.crammedLocked(line)
}

// addLocked puts an answer in the buffer, a large value beside it.
func (a *answers) addLocked(id uint32, resp *Response, carried bool) {
	start := len(a.buf)
	a.buf = appendResponse(a.buf, id, resp)
	if carried {
		putHeader(a.buf[start:], frameCarriedResponse, id, len(a.buf)-start-headerSize)
	}
	if lineOf(resp) == 1 {
		a.large = append(a.large, largeAnswer{id, resp.Value, carried})
	}
}

// advanceLocked puts the answers that waited in the buffer, as many as there is room for.
func (a *answers) advanceLocked() {
	for i := range a.line {
		for len(a.line[i]) > 0 && !a.crammedLocked(i) {
			next := &a.line[i][0]
			a.addLocked(next.id, next.resp, next.carried)
			close(next.done)
			*next = waitingAnswer{}
			if a.line[i] = a.line[i][1:]; len(a.line[i]) == 0 {
				a.line[i] = nil
			}
		}
	}
}

// ownMax is how many bytes of large answers the reading goroutine writes itself.
const ownMax = 2 * chunkMax

// fewLocked reports whether the reading goroutine may write the large answers itself.
func (a *answers) fewLocked() bool {
	n := 0
	for i := range a.large {
		n += len(a.large[i].rest)
	}
	return n <= ownMax
}

// chunkLocked takes the next piece of a large answer, whose frame header it puts at
// the end of the buffer. The answers take turns.
func (a *answers) chunkLocked() []byte {
	if len(a.large) == 0 {
		return nil
	}
	next := a.large[0]
	chunk := next.rest[:min(len(next.rest), chunkMax)]
	next.rest = next.rest[len(chunk):]
	kind := uint8(frameData)
	if next.carried {
		kind = frameCarriedData
	}
	a.buf = appendHeader(a.buf, kind, next.id, len(chunk))
	copy(a.large, a.large[1:])
	if len(next.rest) > 0 {
		a.large[len(a.large)-1] = next
	} else {
		a.large[len(a.large)-1] = largeAnswer{}
		a.large = a.large[:len(a.large)-1]
	}
	return chunk
}
