// Package life is the phases of a node, and the goroutines that its end waits for.
//
// A node is new, starts, serves and closes, in that order, and may close at any time.
//
// What holds: once closing has begun no goroutine is started by Go, and Wait returns when all that
// were have ended.
//
// Caveats: Begin announces a goroutine before it runs; it must be called while something else
// keeps the node from being over.
package life

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// A Life is one node's. Its methods are called concurrently.
type Life struct {
	serving, closing, ended chan struct{}

	ctx    context.Context // ends when the node begins to close
	cancel context.CancelFunc
	work   sync.WaitGroup // the node's goroutines

	mu    sync.Mutex // guards phase
	phase phase
}

type phase uint8

const (
	isNew phase = iota
	starts
	serves
	closes
)

// New returns the life of a node that was not started yet.
func New() *Life {
	l := &Life{serving: make(chan struct{}), closing: make(chan struct{}), ended: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Start begins the phase in which the node starts. It fails with ErrClosed, or if that
// was begun before.
func (l *Life) Start() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.phase {
	case isNew:
		l.phase = starts
		return nil
	case closes:
		return errs.ErrClosed
	}
	return errors.New("cachemesh: Start was called before")
}

// IsNew reports whether Start was not called yet.
func (l *Life) IsNew() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.phase == isNew
}

// Serve ends the start. It reports false if the node closes.
func (l *Life) Serve() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase == closes {
		return false
	}
	l.phase = serves
	close(l.serving)
	return true
}

// Close begins the end. It reports false if that was begun before.
func (l *Life) Close() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase == closes {
		return false
	}
	l.phase = closes
	close(l.closing)
	l.cancel()
	return true
}

// Wait waits for the goroutines.
func (l *Life) Wait() { l.work.Wait() }

// End says that nothing of the node runs any more.
func (l *Life) End() { close(l.ended) }

// Serving is closed when the start has ended, and the node did not close before.
func (l *Life) Serving() <-chan struct{} { return l.serving }

// Closing is closed when the node begins to close.
func (l *Life) Closing() <-chan struct{} { return l.closing }

// Ended is closed when nothing of the node runs any more.
func (l *Life) Ended() <-chan struct{} { return l.ended }

// Context ends when the node begins to close.
func (l *Life) Context() context.Context { return l.ctx }

// IsClosing reports whether the node closes.
func (l *Life) IsClosing() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// Go runs f on a goroutine that Wait waits for. It reports false if the node closes.
func (l *Life) Go(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase == closes {
		return false
	}
	l.work.Go(f)
	return true
}

// Begin announces work that Wait waits for, and Done ends it. Who begins it holds a lock
// that the node takes after Close and before Wait, and has seen there that it may.
func (l *Life) Begin() { l.work.Add(1) }

// Done ends work that Begin announced.
func (l *Life) Done() { l.work.Done() }

// Pause waits. It returns ctx's error, or ErrClosed, if it was cut short.
func (l *Life) Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.closing:
		return errs.ErrClosed
	}
}
