package cli

import (
	"context"
	"log/slog"
	"time"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/internal/logqueue"
)

// logger returns what a member logs to, and what is called when it has ended, with how long lines that wait may take. Nobody
// may take lines for a while: a pipe is full whose reader hangs, a terminal is stopped. A member does not wait for that, for
// others wait for it.
func (sh *shell) logger(c config.Config) (log *slog.Logger, end func(time.Duration)) {
	level, _ := c.Level() // Load has checked it
	o := &slog.HandlerOptions{Level: level}
	lines := logqueue.New(slog.NewTextHandler(sh.err, o))
	if c.Log.Format == "json" {
		lines = logqueue.New(slog.NewJSONHandler(sh.err, o))
	}
	return slog.New(gate{lines.Logger().Handler(), level}), func(most time.Duration) { lines.Close(most) }
}

// A gate lets lines from a level up pass: the others would take the places of those in the queue.
type gate struct {
	slog.Handler
	level slog.Level
}

func (g gate) Enabled(_ context.Context, level slog.Level) bool { return level >= g.level }

func (g gate) WithAttrs(attrs []slog.Attr) slog.Handler {
	return gate{g.Handler.WithAttrs(attrs), g.level}
}

func (g gate) WithGroup(name string) slog.Handler { return gate{g.Handler.WithGroup(name), g.level} }

// within waits until something is done, but not for long.
func within(most time.Duration, done <-chan struct{}) {
	lapse := time.NewTimer(most)
	defer lapse.Stop()
	select {
	case <-done:
	case <-lapse.C:
	}
}
