package httppool

import (
	"fmt"
	"time"
)

// look drops the connection when it is idle, or when the peer keeps silent although it
// owes answers and was pinged.
func (c *callConn) look(now time.Time) {
	w := &c.watch
	if w.used.IsZero() {
		w.used, w.heard = now, now
	}
	silence := c.pool.cfg.SilenceTimeout
	owed := c.carries.busy() // answers to its calls may come here
	c.mu.Lock()
	owed = owed || c.inflight > 0
	if c.inflight > 0 || c.calls != w.calls {
		w.used, w.calls = now, c.calls
	}
	reads := c.rd.reads.Load()
	if c.inflight == 0 && !c.writing {
		c.buf, c.spare = nil, nil // a burst's memory; nothing waits
	}
	c.shrinkLocked()
	if reads != w.reads {
		c.peer.heard()
	}
	if !owed || reads != w.reads {
		w.heard, w.reads, w.pinged = now, reads, false
	}
	var hush []*call
	if c.carries == nil || c.inflight > 0 {
		hush = c.hushLocked(now)
	}
	used := w.used
	if m := c.mate(); m != nil && m.watch.used.After(used) {
		used = m.watch.used
	}
	quiet, r := now.Sub(w.heard), roleNone
	var end error
	switch {
	case now.Sub(used) >= c.pool.cfg.IdleTimeout:
		end = fmt.Errorf("%w: %w", ErrConnLost, errIdle)
	case quiet >= silence:
		end = fmt.Errorf("%w: no answer for %v", ErrConnLost, silence)
	case (quiet >= silence/2 || w.quiet > 0) && !w.pinged:
		w.pinged = true
		c.buf = appendHeader(c.buf, framePing, 0, 0)
		if r = c.takeRoleLocked(c.inflight); r != roleNone {
			r = roleKick
		}
	}
	first := end != nil && c.failLocked(end)
	c.mu.Unlock()
	for _, cl := range hush {
		cl.wake <- struct{}{} // never blocks: see call.wake
	}
	c.bury(first)
	c.act(r)
}

// hushLocked finds the peer silent if it has owed answers for Config.Patience and said
// nothing. It returns the calls that need not wait any longer, to be woken. Time in
// which this process did not look, or was starved, does not count.
func (c *callConn) hushLocked(now time.Time) (woken []*call) {
	w, patience := &c.watch, c.pool.cfg.Patience
	if patience == 0 {
		return nil
	}
	// A large request may take long to be taken in.
	sending := c.waitingLocked() && c.bytesOut != w.bytesOut
	w.bytesOut = c.bytesOut
	if w.heard.Equal(now) || sending {
		w.quiet = 0
		return nil
	}
	if c.pool.starving.Load() == 0 {
		w.quiet += c.pool.watching.step
	}
	if w.quiet < patience {
		return nil
	}
	c.peer.hush(c)
	for _, cl := range (*c.slots.Load())[:c.used] {
		if cl.idempotent && cl.move(slotWaiting, slotSilent) {
			woken = append(woken, cl)
		}
	}
	return woken
}
