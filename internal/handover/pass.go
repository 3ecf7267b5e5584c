package handover

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

const (
	handOverBytes  = 256 << 10   // of values in one list, unless it is one value
	handOverValues = 2048        // in one list: a busy owner, too, answers soon
	handOverCalls  = 2           // to one new owner at a time: it reads one while the next is made
	handOverStall  = time.Second // an owner that takes no list for so long does not hold up the others
	handOverRate   = 1 << 20     // bytes a second that are waited for
)

// A pass looks once through all that this node holds, and sends what others own by one
// view to its owners, side by side. What an owner does not take stays where it is, for
// the next pass.
type pass struct {
	*base
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

// An outbox feeds one new owner.
type outbox struct {
	o       *view.Owner
	filling []parcel // of one group; belongs to the goroutine that looks through the stores
	bytes   int      // of these
	lists   chan []parcel
	late    atomic.Bool // it took nothing: the rest waits for the next pass
}

// newPass returns a pass by the view of now, whose calls end with ctx.
func (b *base) newPass(ctx context.Context) *pass {
	p := &pass{base: b, ctx: ctx, v: b.State.View(), refused: make(map[refusal]uint64)}
	if p.v != nil {
		p.boxes = make([]*outbox, len(p.v.Owners))
	}
	return p
}

// run sends what there is, and returns when every call has ended.
func (p *pass) run() {
	for c := range p.Groups.Parts() {
		if moves(c) && c.Store.Len() > 0 && !p.ended() {
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
}

// ended reports whether there is no use in going on.
func (p *pass) ended() bool {
	return p.v == nil || p.ctx.Err() != nil || p.halted.Load() || p.State.View() != p.v
}

// look goes through a group's store. When the last member leaves, the values of the
// mesh end with it; but not if others may live where this one cannot see them.
func (p *pass) look(c *owner.Part) {
	c.Store.Range(p.Clock.Now(), func(hash uint64, e *store.Entry) bool {
		switch i := p.v.Ring.Owner(hash); {
		case i >= 0 && i == p.v.Self:
		case i >= 0:
			p.add(i, parcel{c, hash, e})
		case p.State.Tracing():
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

// giveUp forgets what others own and did not take.
func (p *pass) giveUp() {
	if p.v == nil {
		return
	}
	p.loseEach(func(c *owner.Part, hash uint64, e *store.Entry) (mine, goOn bool) {
		if p.v.Self >= 0 && p.v.Ring.Owner(hash) == p.v.Self {
			return true, true
		}
		return false, c.LetGo(p.v, hash, e)
	})
	p.loseParked(p.v)
}
