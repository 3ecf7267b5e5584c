package copies

import (
	"time"

	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/view"
)

const (
	mendFlying = 8192      // requests under way, writes aside
	mendValues = 2048      // in one list
	mendBytes  = 256 << 10 // of values in one list, unless it is one value
	mendCalls  = 2         // to one member at a time

	mendFloor   = 5 * time.Millisecond // between two looks, at first
	mendCeiling = 100 * time.Millisecond
)

// A mender learns what others have, and makes the copies that are missing.
type mender struct {
	digests
	flying int    // requests for copies under way, writes aside; guarded by mu
	lost   uint64 // values that Lost was told of; guarded by mu
}

// mend asks for digests and makes copies until nothing is left to do.
func (c *mender) mend() {
	boxes := make(map[string]chan []replica.Send) // by ID, what feeds those that call it
	defer func() {
		for _, b := range boxes {
			close(b)
		}
	}()
	wait, asks := mendFloor, mendFloor
	var last *view.View
	var askAt int64
	for {
		c.lock()
		carries := !c.closed && c.core.Carry(carryStep)
		if c.closed || c.Life.IsClosing() || c.core.Idle() && c.flying == 0 {
			c.mending = false
			c.unlock()
			return
		}
		v, epoch, now := c.view, c.core.Epoch(), c.Clock.Now()
		if v != last {
			last, wait, askAt, asks = v, mendFloor, now, mendFloor
		}
		var ids []string
		if now >= askAt || c.hasten {
			c.hasten = false
			ids = c.othersLocked(c.core.Ask())
			askAt, asks = now+int64(asks), min(2*asks, mendCeiling)
		}
		sends, more := c.workLocked(now, carries)
		c.tellGoneLocked()
		lost := c.core.Stats().Lost - c.lost
		c.lost += lost
		c.unlock()
		if lost > 0 && c.Lost != nil {
			c.Lost(int(lost))
		}
		for _, id := range ids {
			if !c.Life.Go(func() { c.askDigest(v, epoch, id) }) {
				c.unask(id)
			}
		}
		for _, list := range lists(sends) {
			c.post(boxes, v, list)
		}
		if len(sends) > 0 {
			wait = mendFloor
		}
		if more {
			continue
		}
		c.rest(wait)
		wait = min(2*wait, mendCeiling)
	}
}

// workLocked returns what to send, and whether there is more to do at once: it looks at so many notes, and not at all.
// carries says that not all keys were looked at yet: somebody may wait for one that was, and who leaves waits for
// this member to ask for something.
func (c *mender) workLocked(now int64, carries bool) (sends []replica.Send, more bool) {
	if carries && !c.core.Ready() {
		return nil, true // they can do nothing before
	}
	due := c.core.Due()
	sends = c.core.Work(now, mendFlying-c.flying)
	c.flying += len(sends)
	worked := len(sends) > 0 || c.core.Due() < due // which were done, if only by who was answered
	return sends, carries || worked && c.flying < mendFlying
}

// rest waits until there is something new, or so long.
func (c *mender) rest(wait time.Duration) {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-c.kick:
	case <-t.C:
	case <-c.Life.Closing():
	}
}

// lists puts together what goes to one member.
func lists(sends []replica.Send) (all [][]replica.Send) {
	open, bytes := make(map[string]int), make(map[string]int) // by member: where its list is, how large
	for _, s := range sends {
		size := 64
		if s.Entry != nil {
			size += len(s.Entry.Key) + len(s.Entry.Data)
		}
		at, ok := open[s.To]
		if !ok || len(all[at]) == mendValues || bytes[s.To]+size > mendBytes {
			at = len(all)
			open[s.To], bytes[s.To] = at, 0
			all = append(all, nil)
		}
		all[at] = append(all[at], s)
		bytes[s.To] += size
	}
	return all
}

// post gives a list to those that call a member, which are made if there are none. What is
// under way is bounded, and so is what waits here.
func (c *mender) post(boxes map[string]chan []replica.Send, v *view.View, list []replica.Send) {
	id := list[0].To
	if boxes[id] == nil {
		boxes[id] = make(chan []replica.Send, mendFlying)
		for range mendCalls {
			box := boxes[id]
			if !c.Life.Go(func() { c.deliver(box) }) {
				break
			}
		}
	}
	boxes[id] <- list
}

// deliver calls a member with lists until there are no more.
func (c *mender) deliver(box <-chan []replica.Send) {
	for list := range box {
		answers := make([]replica.Answer, len(list))
		if v := c.View(); v != nil && !c.isClosed() {
			answers = c.ask(v, list)
		}
		for at := 0; at < len(list); at += answersAtOnce {
			to := min(at+answersAtOnce, len(list))
			c.tell(list[at:to], answers[at:to])
		}
	}
}

// answersAtOnce is how many answers the core is told with mu held.
const answersAtOnce = 256

func (c *mender) tell(list []replica.Send, answers []replica.Answer) {
	now := c.Clock.Now()
	c.lock()
	defer c.unlock()
	for i := range list {
		c.core.Answered(list[i], answers[i], now)
	}
	c.flying -= len(list)
	c.kickLocked()
}
