package httppool

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
func (c *serveConn) crammedLocked(line int) bool {
	return len(c.buf) > bufferMax || line == 1 && len(c.large) >= maxLarge
}

// roomLocked reports whether an answer can be put in the buffer now, past nobody.
func (c *serveConn) roomLocked(resp *Response) bool {
	line := lineOf(resp)
	return len(c.line[line]) == 0 && !c.crammedLocked(line)
}

// addLocked puts an answer in the buffer, a large value beside it.
func (c *serveConn) addLocked(id uint32, resp *Response, carried bool) {
	start := len(c.buf)
	c.buf = appendResponse(c.buf, id, resp)
	if carried {
		putHeader(c.buf[start:], frameCarriedResponse, id, len(c.buf)-start-headerSize)
	}
	if lineOf(resp) == 1 {
		c.large = append(c.large, largeAnswer{id, resp.Value, carried})
	}
}

// advanceLocked puts the answers that waited in the buffer, as many as there is room for.
func (c *serveConn) advanceLocked() {
	for i := range c.line {
		for len(c.line[i]) > 0 && !c.crammedLocked(i) {
			a := &c.line[i][0]
			c.addLocked(a.id, a.resp, a.carried)
			close(a.done)
			*a = waitingAnswer{}
			if c.line[i] = c.line[i][1:]; len(c.line[i]) == 0 {
				c.line[i] = nil
			}
		}
	}
}
