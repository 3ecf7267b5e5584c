package cli

import (
	"log/slog"
	"time"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/internal/logqueue"
)

const logTime = 500 * time.Millisecond // for lines that wait when the member has ended

// logger returns what a member logs to, and what is called when it has ended. Nobody may take lines for a while: a pipe
// is full whose reader hangs, a terminal is stopped. A member does not wait for that, for others wait for it.
func (sh *shell) logger(c config.Config) (log *slog.Logger, end func()) {
	level, _ := c.Level() // Load has checked it
	o := &slog.HandlerOptions{Level: level}
	lines := logqueue.New(slog.NewTextHandler(sh.err, o))
	if c.Log.Format == "json" {
		lines = logqueue.New(slog.NewJSONHandler(sh.err, o))
	}
	return lines.Logger(), func() { lines.Close(logTime) }
}

// within waits until something is done, but not for long.
func within(most time.Duration, done <-chan struct{}) {
	lapse := time.NewTimer(most)
	defer lapse.Stop()
	select {
	case <-done:
	case <-lapse.C:
	}
}
