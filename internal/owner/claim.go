package owner

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A claim is a flight whose load runs where somebody asked for it. All that holds of a
// flight's token holds of it: it travels to the claimant's member and back. Those who wait for
// it stand in line: when it is lost, the next of them has it. Guarded by the shard's lock.
type claim struct {
	holder  *bidder // the claimant; nil before the load may begin
	line    []*bidder
	token   wire.Token
	granted int64       // when
	until   int64       // the end of its Hold
	heard   int64       // when the claimant's member last said that it has it
	timer   *time.Timer // fires then
	charged int64       // of the room for notes on keys
}

// A bidder is one who asks for a claim, or waits for what another's brings.
type bidder struct {
	wire.Bid
	ready chan struct{} // closed once got is set
	got   Claimed
	of    *claim // in whose line it stands
	joins bool   // the group's loader: it stands in no line
}

// Claimed is what a bid came to: the claim, or what a Get would find, or neither, for another
// has the claim.
type Claimed struct {
	Won, Busy bool
	Token     wire.Token   // if it was won
	Entry     *store.Entry // the value; if the claim was won one past its TTL, nil for none
	Hit       bool         // it was there
	Err       error        // a *StaleError beside a value; nil if the claim was won
}

const (
	maxClaims = 1024  // of a shard, so up to 65 536 in a group
	maxLine   = 16384 // who wait for one claim

	// MaxHold bounds the time for which a claim stands, from when it was granted or extended.
	MaxHold = time.Minute

	// claimCost is what a claim takes besides its key: itself, its flight, its holder, a timer
	// and a slot of a map that is half full.
	claimCost = 640
)

var (
	errClaims = fmt.Errorf("%w: too many claims", errs.ErrOverloaded)
	errLine   = fmt.Errorf("%w: %d wait for a claim of the key", errs.ErrOverloaded, maxLine)

	// errSlowClaim is why an old value is served while another loads.
	errSlowClaim = errors.New("it is being loaded, by whoever claimed it")
)

// answer tells a bidder what came of its bid, once.
func (b *bidder) answer(got Claimed) {
	if !b.isAnswered() {
		b.got, b.of = got, nil
		close(b.ready)
	}
}

func (b *bidder) isAnswered() bool {
	select {
	case <-b.ready:
		return true
	default:
		return false
	}
}

// join puts a bidder in line.
func (c *claim) join(b *bidder) {
	b.of = c
	c.line = append(c.line, b)
}

// leave takes a bidder out of the line.
func (c *claim) leave(b *bidder) {
	c.line = slices.DeleteFunc(c.line, func(other *bidder) bool { return other == b })
}

// next takes the first out of the line, nil if there is none.
func (c *claim) next() *bidder {
	if len(c.line) == 0 {
		return nil
	}
	first := c.line[0]
	c.line[0] = nil
	c.line = c.line[1:]
	return first
}

// answerAll tells all who stand in line what the claim came to.
func (c *claim) answerAll(got Claimed) {
	for _, b := range c.line {
		b.answer(got)
	}
	c.line = nil
}

// holdOf returns for how long a claim stands that wants to stand for d.
func holdOf(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		d = otherwise
	}
	return min(d, MaxHold)
}

// watched are the members that are being asked for their claims, each by one goroutine.
type watched struct {
	mu      sync.Mutex      // taken inside a shard's lock
	members map[string]bool // true: look again, before the goroutine ends
}

// isOver reports whether nobody waits any more for claims of a member. If so it is asked no
// longer.
func (w *watched) isOver(member string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.members[member] {
		w.members[member] = false
		return false
	}
	delete(w.members, member)
	return true
}
