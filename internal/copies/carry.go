package copies

import (
	"context"
	"encoding/binary"
	"sync"

	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A letter is a write that is on its way to one member.
type letter struct {
	send  replica.Send
	body  *[]byte
	asked Asked
}

// bodies are those of letters that were answered.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// post sends a write to members. It waits for nothing: what does not go at once has a
// goroutine of its own.
func (w *Write) post(v *view.View, sends []replica.Send) {
	for i := range sends {
		if l, ok := w.begin(v, &sends[i]); ok {
			w.letters = append(w.letters, l)
		} else {
			w.detach(v, sends[i])
		}
	}
}

func (w *Write) begin(v *view.View, s *replica.Send) (l letter, ok bool) {
	to := v.Peers[s.To]
	if to == nil || s.Entry != nil && len(s.Entry.Data) > spanBytes {
		return l, false
	}
	l = letter{send: *s, body: bodies.Get().(*[]byte)}
	*l.body = w.appendRequest(binary.AppendUvarint((*l.body)[:0], s.Epoch), s)
	l.asked, ok = w.Carrier.Begin(w.spans.within(w.Life.Context()), to, wire.OpCopies, v.ID, *l.body)
	if !ok {
		bodies.Put(l.body)
	}
	return l, ok
}

// detach sends a write to one member on a goroutine of its own.
func (w *Write) detach(v *view.View, s replica.Send) {
	if w.told == nil {
		w.told = make(chan struct{}, 1)
	}
	told := w.told
	w.Life.Go(func() {
		a := w.ask(v, []replica.Send{s})[0]
		w.lock()
		w.core.Answered(s, a, w.Clock.Now())
		w.unlock()
		select {
		case told <- struct{}{}:
		default: // who waits looks at all that was answered
		}
	})
}

// ready waits until all letters were answered, or something if there are none: the write needs
// all of them. It reports false if ctx ended first.
func (w *Write) ready(ctx context.Context) bool {
	for i := range w.letters {
		if !w.letters[i].asked.Ready(ctx) {
			return false
		}
	}
	if len(w.letters) > 0 {
		return true
	}
	select {
	case <-w.told:
		return true
	case <-w.Life.Closing():
		return true
	case <-ctx.Done():
		return false
	}
}

// collect takes the answers to all letters, and sends what follows.
func (w *Write) collect() {
	var room [2]replica.Answer
	answers := w.answers(room[:0])
	w.lock()
	w.tellLocked(answers)
	v, sends := w.nextLocked()
	w.unlock()
	w.post(v, sends)
}

// drop takes what came of letters whose context has ended.
func (w *Write) drop() {
	answers := w.answers(nil)
	w.lock()
	defer w.unlock()
	w.tellLocked(answers)
}

func (w *Write) answers(list []replica.Answer) []replica.Answer {
	for i := range w.letters {
		list = append(list, w.answerTo(&w.letters[i]))
	}
	return list
}

// tellLocked tells the core what came of the letters.
func (w *Write) tellLocked(answers []replica.Answer) {
	for i := range answers {
		w.core.Answered(w.letters[i].send, answers[i], w.Clock.Now())
	}
	w.letters = w.letters[:0]
}

func (w *Write) answerTo(l *letter) (a replica.Answer) {
	list, status, once, err := l.asked.Wait()
	bodies.Put(l.body)
	if err != nil || status != wire.StatusOK {
		return unanswered(status, once, err)
	}
	a, _, _ = w.cutAnswer(list, &l.send, once)
	return a
}
