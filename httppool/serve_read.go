package httppool

import "fmt"

func (c *serveConn) readFrame() error {
	if err := c.fill(headerSize); err != nil {
		return err
	}
	h, err := parseHeader(c.rd.buf[c.rd.r:c.rd.w])
	if err != nil {
		return err
	}
	if h.kind == frameData {
		c.rd.next(headerSize)
		return c.data(h)
	}
	if err := c.fill(headerSize + h.size); err != nil {
		return err
	}
	body := c.rd.next(headerSize + h.size)[headerSize:]
	switch h.kind {
	case frameRequest:
		return c.request(h.id, body)
	case frameCancel:
		c.cancelCall(h.id)
		return nil
	case framePing:
		return c.pong(h.id)
	case frameSkip:
		return nil
	}
	return badFrame(badType, "frame type %d from the calling side", h.kind)
}

// fill makes n bytes available; before it would wait for them it writes the answers.
func (c *serveConn) fill(n int) error {
	if c.rd.buffered() >= n {
		return nil
	}
	c.flush()
	return c.rd.fill(n)
}

func (c *serveConn) pong(id uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.buf) > 2*bufferMax {
		return fmt.Errorf("httppool: peer pings and does not read")
	}
	c.buf = appendHeader(c.buf, framePong, id, 0)
	return nil
}
