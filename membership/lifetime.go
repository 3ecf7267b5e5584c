package membership

import (
	"context"
	"sync"
)

// lifetime is the goroutines of a member, and how far it has come.
type lifetime struct {
	ctx    context.Context // done once Close was called
	cancel context.CancelFunc
	work   sync.WaitGroup // all goroutines of this member, but the log's
	scribe sync.WaitGroup // the goroutine that writes the log
	closed chan struct{}  // Close is complete

	mu      sync.RWMutex   // guards the fields below, and that none is added to work or ops once closing is set
	closing bool           // Close was called
	left    bool           // Leave was called
	ops     sync.WaitGroup // calls of memberlist that must end before its Shutdown
}

// spawn runs f on a goroutine that Close waits for, or returns false if this member is closing.
func (l *lifetime) spawn(f func()) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closing {
		return false
	}
	l.work.Go(f)
	return true
}

// state returns ErrClosed or ErrLeft once that is so.
func (l *lifetime) state() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	switch {
	case l.closing:
		return ErrClosed
	case l.left:
		return ErrLeft
	}
	return nil
}
