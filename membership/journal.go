package membership

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
)

const (
	journalDepth   = 256              // lines that wait for a slow handler; more are counted and dropped
	journalClasses = 128              // kinds of lines that are told apart
	journalQuiet   = 30 * time.Second // a kind of line is written at most once in this time
)

// line is one record on its way to the user's handler.
type line struct {
	level slog.Level
	class string // lines of one class are limited together
	quiet time.Duration
	msg   string
	attrs []slog.Attr
}

// journal takes log lines from anywhere, memberlist's lock included, and hands them to the user's handler on a goroutine
// of its own: a handler may block, or call back, and must do neither under a lock.
type journal struct {
	log     *slog.Logger
	lines   chan line
	dropped atomic.Uint64
}

func newJournal(log *slog.Logger) *journal {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &journal{log: log, lines: make(chan line, journalDepth)}
}

// add queues a line, limited to one of its message in journalQuiet. It never blocks.
func (j *journal) add(level slog.Level, msg string, attrs ...slog.Attr) {
	j.put(line{level: level, class: msg, quiet: journalQuiet, msg: msg, attrs: attrs})
}

// put queues a line. It never blocks.
func (j *journal) put(l line) {
	if !j.log.Enabled(context.Background(), l.level) {
		return
	}
	select {
	case j.lines <- l:
	default:
		j.dropped.Add(1)
	}
}

// run writes lines until ctx is done, and then those that were queued before.
func (j *journal) run(ctx context.Context) {
	lim := limiter{classes: make(map[string]*quota)}
	for {
		select {
		case l := <-j.lines:
			j.write(&lim, l)
		case <-ctx.Done():
			for {
				select {
				case l := <-j.lines:
					j.write(&lim, l)
				default:
					return
				}
			}
		}
	}
}

func (j *journal) write(lim *limiter, l line) {
	suppressed, ok := lim.allow(l.class, l.quiet, time.Now())
	if !ok {
		return
	}
	if suppressed > 0 {
		l.attrs = append(l.attrs, slog.Int("suppressed", suppressed))
	}
	j.log.LogAttrs(context.Background(), l.level, l.msg, l.attrs...)
}

// limiter lets one line of a class through per quiet time. It is not for concurrent use.
type limiter struct{ classes map[string]*quota }

type quota struct {
	next       time.Time
	suppressed int
}

func (l *limiter) allow(class string, quiet time.Duration, now time.Time) (suppressed int, ok bool) {
	q := l.classes[class]
	if q == nil {
		if len(l.classes) >= journalClasses {
			clear(l.classes)
		}
		q = &quota{}
		l.classes[class] = q
	}
	if now.Before(q.next) {
		q.suppressed++
		return 0, false
	}
	suppressed = q.suppressed
	q.next, q.suppressed = now.Add(quiet), 0
	return suppressed, true
}

// classOf returns what lines of one kind have in common: the words before the first detail.
func classOf(msg string) string {
	if i := strings.IndexAny(msg, ":'\"0123456789("); i > 0 {
		msg = msg[:i]
	}
	return msg[:min(len(msg), 48)]
}
