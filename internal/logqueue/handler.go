package logqueue

import (
	"context"
	"log/slog"
	"slices"
)

// handler is the slog.Handler that fills a queue. The user's own handler with the same
// attributes and groups is made where lines are written, since to make it is to call the user.
type handler struct {
	queue  *Queue
	parent *handler    // nil: the first
	attrs  []slog.Attr // added to the parent, or
	group  string      // opened in it

	user slog.Handler // once resolved; the writing goroutine's
}

// Enabled says yes: the user's handler is asked where the line is written.
func (h *handler) Enabled(context.Context, slog.Level) bool { return true }

// Handle queues the record.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	h.queue.put(line{to: h, ctx: context.WithoutCancel(ctx), record: r.Clone()})
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return &handler{queue: h.queue, parent: h, attrs: slices.Clone(attrs)}
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &handler{queue: h.queue, parent: h, group: name}
}

// resolve returns the user's handler for h.
func (h *handler) resolve() slog.Handler {
	switch {
	case h.user != nil:
	case h.parent == nil:
		h.user = h.queue.user
	case h.group != "":
		h.user = h.parent.resolve().WithGroup(h.group)
	default:
		h.user = h.parent.resolve().WithAttrs(slices.Clone(h.attrs))
	}
	return h.user
}
