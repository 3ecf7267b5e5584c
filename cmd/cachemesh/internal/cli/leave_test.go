package cli

import (
	"context"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a member that takes so long to leave.
type slow struct {
	takes  time.Duration
	closed chan struct{}
}

func (m slow) Shutdown(ctx context.Context) error {
	select {
	case <-time.After(m.takes):
		return nil
	case <-m.closed:
		return context.Canceled
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m slow) Close() { close(m.closed) }

// What happens while a member leaves, and when it has ended then.
func TestWhatHappensWhileItLeaves(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		name    string
		heard   bool            // a signal made it leave
		signals []time.Duration // after which one more comes
		gone    time.Duration   // after which its parent ends; 0: it does not
		after   time.Duration   // it ends
		inOrder bool
	}{
		{"nothing", true, nil, 0, 5 * second, true},
		{"an echo", true, []time.Duration{second / 10}, 0, 5 * second, true},
		{"a second signal", true, []time.Duration{second}, 0, second, false},
		{"its server has failed, and the first signal comes", false, []time.Duration{second}, 0, 5 * second, true},
		{"its server has failed, and two come", false, []time.Duration{second, 2 * second}, 0, 2 * second, false},
		{"its parent ends", true, nil, second, second + orphanTime, false},
		{"its parent ends and sends a signal", true, []time.Duration{3 * second / 2}, second, second + orphanTime, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			signals, gone := make(chan os.Signal, 2), make(chan struct{})
			l := leaving{
				m: slow{5 * second, make(chan struct{})}, log: slog.New(slog.DiscardHandler), most: time.Minute,
				signals: signals, gone: gone, exit: func(int) { t.Errorf("%s: it does not end by itself", test.name) },
			}
			began := time.Now()
			if test.heard {
				l.heard = began
			}
			for _, after := range test.signals {
				time.AfterFunc(after, func() { signals <- syscall.SIGTERM })
			}
			if test.gone > 0 {
				time.AfterFunc(test.gone, func() { close(gone) })
			}
			err := l.leave()
			if took := time.Since(began); took != test.after || (err == nil) != test.inOrder {
				t.Errorf("%s: %v after %v", test.name, err, took)
			}
		})
	}
}

// Whatever is stuck in an orphan, its process ends.
func TestStuckOrphanEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone, exited := make(chan struct{}), make(chan int, 1)
		close(gone)
		m := stuck{make(chan struct{})}
		l := leaving{m: m, log: slog.New(slog.DiscardHandler), most: time.Minute, gone: gone, exit: func(code int) { exited <- code; m.Close() }}
		began := time.Now()
		l.leave()
		if took := time.Since(began); took != orphanMost || <-exited != exitFailed {
			t.Errorf("it ended after %v", took)
		}
	})
}

// stuck is a member that ends when its process does.
type stuck struct{ ended chan struct{} }

func (m stuck) Shutdown(context.Context) error { <-m.ended; return nil }

func (m stuck) Close() { close(m.ended) }
