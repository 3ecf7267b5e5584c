package kit

import (
	"log/slog"
	"strings"
	"sync"
)

// A Log is a log that tests read, once the node has flushed it; see seam.Node.FlushLog.
// The zero Log is empty. Its methods are called concurrently.
type Log struct {
	mu    sync.Mutex // guards lines
	lines []string
}

// Logger returns what writes here, from level Info on.
func (r *Log) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// Write adds a line.
func (r *Log) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(line))
	return len(line), nil
}

// Count returns how many lines contain all of the parts.
func (r *Log) Count(parts ...string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.lines {
		has := true
		for _, part := range parts {
			has = has && strings.Contains(line, part)
		}
		if has {
			n++
		}
	}
	return n
}

// String returns all lines.
func (r *Log) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "")
}
