package copies

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

const (
	copyPatience = time.Second // for an answer to one list
	copyRate     = 1 << 20     // bytes a second that are waited for besides
)

// asks are requests to those that have copies of this member's keys.
type asks struct {
	*guarded
	spans *spans
}

// ask has a member carry out requests, and returns what became of each.
func (c *asks) ask(v *view.View, sends []replica.Send) []replica.Answer {
	answers := make([]replica.Answer, len(sends))
	to := v.Peers[sends[0].To]
	for left := sends; to != nil && len(left) > 0; {
		n := c.askSome(v, to, left, answers[len(sends)-len(left):])
		if n == 0 {
			break
		}
		left = left[n:]
	}
	return answers
}

// askSome has a member carry out requests. It returns how many of them, the first ones, it has the
// answers to; none if there are no more.
func (c *asks) askSome(v *view.View, to *view.Owner, sends []replica.Send, answers []replica.Answer) (n int) {
	body := binary.AppendUvarint(nil, sends[0].Epoch)
	for i := range sends {
		body = c.appendRequest(body, &sends[i])
	}
	ctx, cancel := context.WithTimeout(c.Life.Context(), patienceOf(body))
	defer cancel()
	list, status, once, err := c.Carrier.Ask(ctx, to, wire.OpCopies, v.ID, body)
	if status == httppool.StatusTooLarge && err == nil && sends[0].Op == replica.Fetch {
		answers[0] = replica.Answer{Result: replica.TooLarge} // a large one comes alone
		return 1
	}
	if err != nil || status != wire.StatusOK {
		for i := range answers {
			answers[i] = unanswered(status, once, err)
		}
		return 0
	}
	for n < len(sends) && len(list) > 0 {
		var ok bool
		if answers[n], list, ok = c.cutAnswer(list, &sends[n], once); !ok {
			return 0
		}
		n++
	}
	return n
}

// unanswered returns what is known of a request that was not answered as it should be.
func unanswered(status uint8, once bool, err error) (a replica.Answer) {
	large, isLarge := errors.AsType[*httppool.TooLargeError](err)
	switch {
	case isLarge: // a list is smaller, but where it is one value
		most := int64(large.Limit - wire.BatchBytes)
		a = replica.Answer{Result: replica.TooLarge, Limit: replica.Limit{Of: replica.OfValue, Bytes: most}, Again: !once}
	case err == nil && status == wire.StatusUnknownGroup: // it keeps no copies any more
		a = replica.Answer{Result: replica.Refused, Again: !once}
	case once && (err != nil || status == wire.StatusClosed):
		a.Result = replica.Unsent
	}
	return a
}

// cutAnswer splits the answer to a request off a list. It reports false if it is malformed.
func (c *asks) cutAnswer(list []byte, s *replica.Send, once bool) (a replica.Answer, rest []byte, ok bool) {
	got, rest, ok := wire.CutCopyAnswer(list, byte(s.Op))
	if !ok || replica.Result(got.Result) > replica.TooLarge {
		return a, nil, false
	}
	c.Clock.SeeVersion(got.Version.Clock)
	a = replica.Answer{Result: replica.Result(got.Result), Version: got.Version, Again: !once,
		Limit: replica.Limit{Of: replica.Measure(got.Of), Bytes: int64(got.Most)}}
	if got.Found {
		a.Entry = c.unpack(got.Value)
	}
	return a, rest, true
}

func patienceOf(body []byte) time.Duration {
	return copyPatience + time.Duration(len(body))*time.Second/copyRate
}

// spans give calls contexts that end after copyPatience, or a little later, and that many
// share: a timer for each write costs more than the rest of it.
type spans struct {
	now atomic.Pointer[span]
	mu  sync.Mutex // held by who makes the next
}

type span struct {
	ctx    context.Context
	cancel context.CancelFunc
	last   time.Time // who begins after that takes another
}

const (
	spanSlack = copyPatience / 8
	spanBytes = 64 << 10 // of a request that is sent by one
)

// within returns a context for a call that begins now. It ends with ctx at the latest.
func (s *spans) within(ctx context.Context) context.Context {
	now := time.Now()
	if p := s.now.Load(); p != nil && now.Before(p.last) {
		return p.ctx
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.now.Load(); p != nil && now.Before(p.last) {
		return p.ctx
	}
	p := &span{last: now.Add(spanSlack)}
	p.ctx, p.cancel = context.WithDeadline(ctx, now.Add(copyPatience+spanSlack)) // ends by itself: calls may be under way
	s.now.Store(p)
	return p.ctx
}
