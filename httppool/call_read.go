package httppool

import (
	"runtime"
)

// fullHouse is how many callers, answered together, are given the time to ask again
// before more answers are looked for. With fewer it is better to read on: then one
// group's answers come in while another's requests go out, and neither end idles.
// That is worth 15 % at 64 callers, and costs 5 % at 512.
const fullHouse = 96

// readLoop delivers answers until the connection ends.
func (c *callConn) readLoop() {
	for {
		if err := c.readFrame(); err != nil {
			c.pool.noteBadFrame(c.addr, err)
			c.fail(lost("read", err))
			return
		}
	}
}

func (c *callConn) readFrame() error {
	if c.rd.buffered() == 0 {
		if c.woken > fullHouse {
			// Let the callers that were answered together send their next requests, in
			// one write, before this goroutine looks for more answers.
			runtime.Gosched()
		}
		c.woken = 0
	}
	if err := c.rd.fill(headerSize); err != nil {
		return err
	}
	h, err := parseHeader(c.rd.buf[c.rd.r:c.rd.w])
	if err != nil {
		return err
	}
	switch h.kind {
	case frameResponse:
		if err := c.rd.fill(headerSize + h.size); err != nil {
			return err
		}
		return c.response(c, h.id, c.rd.next(headerSize + h.size)[headerSize:])
	case frameData:
		c.rd.next(headerSize)
		return c.data(c, h)
	case frameCarriedResponse, frameCarriedData:
		return c.carry(h)
	case frameGoaway:
		c.rd.next(headerSize)
		c.leave()
		return nil
	case framePong:
		c.rd.next(headerSize)
		c.ponged()
		return nil
	}
	return badFrame(badType, "frame type %d from the serving side", h.kind)
}

// carry takes what belongs to a call of the connection that this one is the carrier of.
func (c *callConn) carry(h frameHeader) error {
	to := c.carries
	if to == nil {
		return badFrame(badType, "frame type %d on a connection that carries for no other", h.kind)
	}
	var err error
	if h.kind == frameCarriedData {
		c.rd.next(headerSize)
		err = c.data(to, h)
	} else if err = c.rd.fill(headerSize + h.size); err == nil {
		err = c.response(to, h.id, c.rd.next(headerSize + h.size)[headerSize:])
	}
	select {
	case <-to.dead:
		return errMate // its calls have failed, so no frame is wrong
	default:
		return err
	}
}

// response takes the head of the answer to a call that was made over to.
func (c *callConn) response(to *callConn, id uint32, body []byte) error {
	cl, err := to.lookup(id)
	if err != nil {
		return err
	}
	if cl.via.Load() != nil {
		return badFrame(badOrder, "second answer to a call")
	}
	var resp Response
	size, err := decodeResponse(body, &resp, limits{value: c.pool.cfg.MaxValue})
	if err != nil {
		return err
	}
	if size > carryFrom {
		c.peer.haul()
	} else {
		c.weigh(size)
	}
	if size > inlineMax {
		if !cl.via.CompareAndSwap(nil, c.rd) {
			return badFrame(badOrder, "second answer to a call")
		}
		cl.large = largeReply{resp: resp, value: largeValue{left: size}}
		return nil
	}
	if !cl.move(slotWaiting, slotFilling) {
		to.releaseAbandoned(cl)
		return nil
	}
	if size > 0 {
		resp.Value = append([]byte(nil), resp.Value...)
	}
	c.woken++
	cl.finish(resp)
	return nil
}

// data reads on at a large value; that of an abandoned call is dropped.
func (c *callConn) data(to *callConn, h frameHeader) error {
	cl, err := to.lookup(h.id)
	if err != nil {
		return err
	}
	if cl.via.Load() != c.rd {
		return badFrame(badSize, "data of %d bytes where none was announced", h.size)
	}
	c.rd.widen()
	v := &cl.large.value
	if state := cl.word.Load() & 0xff; state == slotAbandoned || state == slotSilent {
		v.b, v.drop = nil, true
	}
	if err := v.take(c.rd, h.size); err != nil || v.left > 0 {
		return err
	}
	resp := cl.large.resp
	resp.Value = v.b
	cl.large = largeReply{}
	cl.via.Store(nil)
	if cl.move(slotWaiting, slotFilling) {
		c.woken++
		cl.finish(resp)
	} else {
		to.releaseAbandoned(cl)
	}
	return nil
}

// releaseAbandoned frees the slot of a caller that has left. Nothing is owed to a call
// that failed.
func (c *callConn) releaseAbandoned(cl *call) {
	if cl.move(slotSilent, slotLate) {
		return // the caller, who was woken, frees it
	}
	if cl.move(slotAbandoned, slotFilling) { // once, though a peer may answer over both connections
		c.release(cl)
	}
}

// leave stops new calls, at the peer's wish; the connection ends with its last call.
func (c *callConn) leave() {
	c.mu.Lock()
	c.leaving = true
	last := c.inflight == 0
	c.mu.Unlock()
	c.peer.detach(c)
	c.parted(last)
}
