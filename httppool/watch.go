package httppool

import (
	"errors"
	"fmt"
	"time"
)

// watched is a connection that watchLoop looks at now and then.
type watched interface{ look(now time.Time) }

// watch is what watchLoop remembers of a connection; only its goroutine uses it.
type watch struct {
	reads, writes, calls uint64
	heard                time.Time // when the peer last sent something, or owed nothing
	wrote                time.Time // when a write last finished, or none was under way
	used                 time.Time // when a call was last under way
	pinged               bool

	// Of a callConn, for Config.Patience.
	looked   time.Time
	quiet    time.Duration // for which the peer owed answers and was seen to say nothing
	bytesOut uint64
}

var errIdle = errors.New("idle for too long")

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
		c.peer.hushed.Store(nil) // whatever another connection said
	}
	if !owed || reads != w.reads {
		w.heard, w.reads, w.pinged = now, reads, false
	}
	var hush []*call
	if c.carries == nil || c.inflight > 0 {
		hush = c.hushLocked(now)
	}
	quiet, r := now.Sub(w.heard), roleNone
	var end error
	switch {
	case now.Sub(c.usedUntil()) >= c.pool.cfg.IdleTimeout:
		end = fmt.Errorf("%w: %w", ErrConnLost, errIdle)
	case quiet >= silence:
		end = fmt.Errorf("%w: no answer for %v", ErrConnLost, silence)
	case (quiet >= silence/2 || w.quiet > 0) && !w.pinged:
		w.pinged = true
		c.buf = appendHeader(c.buf, framePing, 0, 0)
		if r = c.takeRoleLocked(); r != roleNone {
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

// look drops the connection when its caller does not read, or has been silent for
// twice the idle time, so that a caller with the same settings closes it first.
func (c *serveConn) look(now time.Time) {
	w := &c.watch
	if w.used.IsZero() {
		w.used, w.wrote = now, now
	}
	c.mu.Lock()
	if reads := c.rd.reads.Load(); len(c.running) > 0 || reads != w.reads {
		w.used, w.reads = now, reads
	} else if !c.writing && len(c.buf) == 0 {
		c.buf, c.spare = nil, nil // a burst's memory
	}
	if !c.writing || c.writes != w.writes {
		w.wrote, w.writes = now, c.writes
	}
	c.mu.Unlock()
	switch {
	case now.Sub(w.used) >= 2*c.pool.cfg.IdleTimeout && (c.mate() == nil || now.Sub(c.mate().watch.used) >= 2*c.pool.cfg.IdleTimeout):
		c.fail(fmt.Errorf("%w: %w", ErrConnLost, errIdle))
	case now.Sub(w.wrote) >= c.pool.cfg.SilenceTimeout:
		c.fail(fmt.Errorf("%w: the caller does not read", ErrConnLost))
	}
}

// over reports whether c takes no more calls.
func (c *callConn) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil || c.leaving
}
