package cachemesh

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

const (
	handOverBytes  = 256 << 10   // of values in one list, unless it is one value
	handOverValues = 2048        // in one list: a busy owner, too, answers soon
	handOverCalls  = 2           // to one new owner at a time: it reads one while the next is made
	handOverStall  = time.Second // an owner that takes no list for so long does not hold up the others
	handOverRate   = 1 << 20     // bytes a second that are waited for
	parcelOverhead = 48          // what a value takes in a list besides key and data, at most
)

// A pass looks once through all that this node holds, and sends what others own by one
// view to its owners, side by side. What an owner does not take stays where it is, for
// the next pass.
type pass struct {
	n       *Node
	v       *view.View
	ctx     context.Context
	boxes   []*outbox    // by index in v.owners; nil: nothing was found for it
	left    atomic.Int64 // values that were not taken; 1 at least if the pass did not end
	noGroup atomic.Bool  // an owner has no group for them and no room to park them

	senders sync.WaitGroup

	mu      sync.Mutex         // guards refused
	refused map[refusal]uint64 // values that owners will not have
}

// A refusal says whose values were refused, and by whom.
type refusal struct{ group, member string }

// A parcel is a value that another member owns now. Only values that nobody
// could load again are handed over.
type parcel struct {
	core *groupCore
	hash uint64
	e    *store.Entry
}

// An outbox feeds one new owner.
type outbox struct {
	o       *view.Owner
	filling []parcel // of one group; belongs to the goroutine that looks through the stores
	bytes   int      // of these
	lists   chan []parcel
	late    atomic.Bool // it took nothing: the rest waits for the next pass
}

func (n *Node) newPass() *pass {
	m := &n.mover
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &pass{n: n, refused: make(map[refusal]uint64)}
	p.ctx, m.cancel = context.WithCancel(n.life.Context())
	m.again = false
	if p.v = n.state.View(); p.v != nil {
		p.boxes = make([]*outbox, len(p.v.Owners))
	}
	return p
}

// run sends what there is, and returns when every call has ended.
func (p *pass) run() {
	for _, c := range p.n.groups.all() {
		if c.Origin.Load == nil && c.Store.Len() > 0 && !p.ended() {
			p.look(c)
		}
	}
	p.lookParked()
	for _, b := range p.boxes {
		if b != nil {
			close(b.lists)
		}
	}
	p.senders.Wait()
	if p.ended() {
		p.left.Add(1)
	}
	m := &p.n.mover
	m.mu.Lock()
	m.cancel()
	m.cancel = nil
	m.mu.Unlock()
	p.sayRefused()
}

// ended reports whether there is no use in going on.
func (p *pass) ended() bool {
	return p.v == nil || p.ctx.Err() != nil || p.n.mover.halted.Load() || p.n.state.View() != p.v
}

// look goes through a group's store. When the last member leaves, the values of the
// mesh end with it; but not if others may live where this one cannot see them.
func (p *pass) look(c *groupCore) {
	c.Store.Range(p.n.clock.Now(), func(hash uint64, e *store.Entry) bool {
		switch i := p.v.Ring.Owner(hash); {
		case i >= 0 && i == p.v.Self:
		case i >= 0:
			p.add(i, parcel{c, hash, e})
		case p.n.state.Tracing():
			p.left.Add(1)
		default:
			c.LetGo(p.v, hash, e)
		}
		return !p.ended()
	})
	for _, b := range p.boxes {
		if b != nil {
			p.send(b)
		}
	}
}

// add puts a value into the outbox of its owner.
func (p *pass) add(i int, it parcel) {
	b := p.boxes[i]
	if b == nil {
		b = &outbox{o: &p.v.Owners[i], lists: make(chan []parcel)}
		p.boxes[i] = b
		for range handOverCalls {
			p.senders.Go(func() { p.feed(b) })
		}
	}
	size := len(it.e.Key) + len(it.e.Data) + parcelOverhead
	if b.bytes+size > handOverBytes || len(b.filling) == handOverValues {
		p.send(b)
	}
	if b.late.Load() {
		p.left.Add(1)
		return
	}
	b.filling = append(b.filling, it)
	b.bytes += size
}

// send gives what gathered for an owner to those that call it. If these wait for the
// owner it waits too, but not so long that other owners would get nothing.
func (p *pass) send(b *outbox) {
	list := b.filling
	if len(list) == 0 {
		return
	}
	b.filling, b.bytes = make([]parcel, 0, len(list)), 0
	if !b.late.Load() {
		t := time.NewTimer(handOverStall)
		defer t.Stop()
		select {
		case b.lists <- list:
			return
		case <-t.C:
			b.late.Store(true)
		case <-p.ctx.Done():
		}
	}
	p.left.Add(int64(len(list)))
}

// feed sends lists to an owner until there are no more.
func (p *pass) feed(b *outbox) {
	for list := range b.lists {
		if b.late.Load() || !p.deliver(b.o, list) {
			b.late.Store(true)
			p.left.Add(int64(len(list)))
		}
	}
}

// deliver sends one list, and forgets it here if the owner took it.
func (p *pass) deliver(o *view.Owner, list []parcel) bool {
	c := list[0].core
	taken := p.insist(o, c.Name, func() ([]byte, int) {
		c.Stats.Of(0).PeerCalls.Add(1)
		return packParcels(list, p.n.clock.Now())
	})
	for _, it := range list {
		if !taken || !c.LetGo(p.v, it.hash, it.e) {
			break
		}
	}
	return taken
}

// insist sends what pack returns, and tries again for a moment: the owner may not have
// heard of the view. It reports whether the values are in other hands now, or will never
// be.
func (p *pass) insist(o *view.Owner, group string, pack func() (body []byte, values int)) bool {
	n := p.n
	began, wait := n.clock.Now(), route.RetryFloor
	for !p.ended() {
		body, values := pack()
		if refused, done := p.call(o, group, body, values); done {
			n.mover.progress.Store(n.clock.Now())
			n.handedOver.Add(uint64(values - refused))
			p.note(refusal{group, o.Name}, refused)
			return true
		}
		if n.clock.Now()-began >= int64(handOverStall) || n.life.Pause(p.ctx, wait) != nil {
			return false
		}
		wait = min(2*wait, route.RetryCeiling)
	}
	return false
}

// call sends values to an owner. It reports how many of them it will never have, and
// whether the rest was taken.
func (p *pass) call(o *view.Owner, group string, body []byte, values int) (refused int, done bool) {
	if len(body) == 0 {
		return 0, true // they expired
	}
	ctx, cancel := context.WithTimeout(p.ctx, handOverTime+time.Duration(len(body))*time.Second/handOverRate)
	defer cancel()
	k := wire.NewCall(wire.OpHandOver, group, "")
	defer k.Free()
	k.Req.View, k.Req.Value, k.Req.Idempotent = p.v.ID, body, true
	if err := p.n.ways.CallMember(ctx, o, &k.Req, &k.Resp); err != nil {
		return values, errors.Is(err, httppool.ErrTooLarge)
	}
	switch k.Resp.Status {
	case wire.StatusOK:
		return int(min(k.Resp.Version, uint64(values))), true
	case wire.StatusUnknownGroup, wire.StatusInvalid, wire.StatusTooLarge: // it runs another version
		return values, true
	case wire.StatusOverloaded:
		p.noGroup.Store(true)
	}
	return 0, false
}

// patience is how long values wait that nobody takes. An owner that has just started may
// register the group only when its Start has returned.
func (p *pass) patience() time.Duration {
	if p.noGroup.Load() {
		return parkedFor
	}
	return handOverTime
}
