package meshtest

import (
	"context"
	"log/slog"
	"sync"
)

// A JammedLog is the handler of a member's log that blocks from Jam to Free: its
// disk is full, or a pipe has no reader.
type JammedLog struct {
	next slog.Handler
	gate *gate // of this one and those derived from it
}

type gate struct {
	mu   sync.Mutex    // guards shut
	shut chan struct{} // closed by Free; nil: open
}

// NewJammedLog returns one that is not jammed yet.
func NewJammedLog(next slog.Handler) *JammedLog { return &JammedLog{next, new(gate)} }

// Jam makes whoever logs from now on wait.
func (l *JammedLog) Jam() {
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	if l.gate.shut == nil {
		l.gate.shut = make(chan struct{})
	}
}

// Free ends Jam.
func (l *JammedLog) Free() {
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	if l.gate.shut != nil {
		close(l.gate.shut)
		l.gate.shut = nil
	}
}

// Handle waits while the log is jammed.
func (l *JammedLog) Handle(ctx context.Context, r slog.Record) error {
	l.gate.mu.Lock()
	shut := l.gate.shut
	l.gate.mu.Unlock()
	if shut != nil {
		<-shut
	}
	return l.next.Handle(ctx, r)
}

// Enabled returns true, so that every line can block.
func (l *JammedLog) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs returns a handler that blocks as l does.
func (l *JammedLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &JammedLog{l.next.WithAttrs(attrs), l.gate}
}

// WithGroup returns a handler that blocks as l does.
func (l *JammedLog) WithGroup(name string) slog.Handler {
	return &JammedLog{l.next.WithGroup(name), l.gate}
}
