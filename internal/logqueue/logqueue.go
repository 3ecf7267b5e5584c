// Package logqueue keeps a user's slog.Handler off the way of whoever logs. A log
// handler is a callback: it may block, call back, or panic, and lines are written under
// locks and where a mesh comes to agree.
package logqueue

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// depth is how many lines may wait for the handler; those beyond are dropped and counted.
const depth = 256

// Queue hands records to a handler from one goroutine at a time, in their order. It is
// safe for concurrent use. While nothing is logged there is no goroutine.
type Queue struct {
	user  slog.Handler
	depth int

	mu      sync.Mutex    // guards all below
	lines   []line        // at most depth, and at the end one more
	dropped uint64        // since the last line that found room
	running bool          // a goroutine writes
	idle    chan struct{} // closed when nothing waits or is being written; nil: nobody asked
	closed  bool
}

// line is one record on its way.
type line struct {
	to      *handler // nil: there is no record, but only what was lost
	ctx     context.Context
	record  slog.Record
	dropped uint64 // lines that were lost right before it
}

// New returns a queue in front of h.
func New(h slog.Handler) *Queue { return &Queue{user: h, depth: depth} }

// Logger returns a logger whose lines go through the queue. No method of it calls the
// user's handler, waits, or fails. What it is given must not change afterwards: attributes
// are resolved when the line is written.
func (q *Queue) Logger() *slog.Logger {
	if q.user == slog.DiscardHandler {
		return slog.New(q.user)
	}
	return slog.New(&handler{queue: q})
}

// put queues a line, or drops it.
func (q *Queue) put(l line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if len(q.lines) >= q.depth {
		q.dropped++
		return
	}
	q.addLocked(l)
}

// addLocked queues a line, and with it how many were lost before.
func (q *Queue) addLocked(l line) {
	l.dropped, q.dropped = q.dropped, 0
	q.lines = append(q.lines, l)
	if !q.running {
		q.running = true
		go q.run()
	}
}

// run writes until nothing waits. A handler that ends its goroutine loses its line alone.
func (q *Queue) run() {
	done := false
	defer func() {
		if !done {
			go q.run()
		}
	}()
	for {
		l, ok := q.next()
		if !ok {
			done = true
			return
		}
		q.write(l)
	}
}

// next takes a line, or gives up the part of the one who writes.
func (q *Queue) next() (line, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) > 0 {
		l := q.lines[0]
		q.lines[0] = line{}
		q.lines = q.lines[1:]
		return l, true
	}
	q.lines = nil
	q.running = false
	if q.idle != nil {
		close(q.idle)
		q.idle = nil
	}
	return line{}, false
}

// write calls the user's handler. One that panics loses its line, which is counted.
func (q *Queue) write(l line) {
	defer func() {
		if recover() != nil {
			q.mu.Lock()
			q.dropped++
			q.mu.Unlock()
		}
	}()
	if l.dropped > 0 {
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "log lines were lost, since the log handler was too slow or panicked", 0)
		r.AddAttrs(slog.Uint64("lines", l.dropped))
		if q.user.Enabled(l.ctx, r.Level) {
			_ = q.user.Handle(l.ctx, r)
		}
	}
	if l.to == nil {
		return
	}
	if h := l.to.resolve(); h.Enabled(l.ctx, l.record.Level) {
		_ = h.Handle(l.ctx, l.record)
	}
}

// Flush waits until every line that was logged before has been written, and reports
// false if that takes longer than timeout.
func (q *Queue) Flush(timeout time.Duration) bool {
	q.mu.Lock()
	if !q.running {
		q.mu.Unlock()
		return true
	}
	if q.idle == nil {
		q.idle = make(chan struct{})
	}
	idle := q.idle
	q.mu.Unlock()
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case <-idle:
		return true
	case <-t.C:
		return false
	}
}

// Close is Flush, after which lines are ignored. What was lost before is said last. A handler that is still blocked then is
// left behind, with the one goroutine that called it and nothing more to write.
func (q *Queue) Close(timeout time.Duration) bool {
	q.sayLost()
	written := q.Flush(timeout)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.lines = true, nil
	return written
}

// sayLost queues what says how many lines were lost, if that was not said.
func (q *Queue) sayLost() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dropped > 0 && !q.closed {
		q.addLocked(line{ctx: context.Background()})
	}
}
