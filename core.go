package cachemesh

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// doNotStore, as an entry's expiry, marks a value that answers those who wait
// and is not kept.
const doNotStore = -1

// A groupCore is a group without its type: it decides who answers a key and
// asks them. Values are entries: bytes, and beside them the decoded value.
type groupCore struct {
	node        *Node
	name        string
	seed        uint64                                                              // of the hash of its keys
	store       *store.Store                                                        // what this member owns
	hot         *hotcache.Cache                                                     // leased copies of what others own
	loader      func(ctx context.Context, key string) (*store.Entry, error)         // nil: none
	loadMany    func(ctx context.Context, keys []string) (map[string]loaded, error) // nil: none
	writer      func(ctx context.Context, key string, e *store.Entry) error         // nil: none; e nil: delete
	turn        *turns
	decodedSize int64 // of a value beside its bytes; 0: the bytes are the value

	loadTimeout, batchWindow            time.Duration
	notFoundTTL, refreshAfter, staleFor time.Duration
	sentinels                           []error // GroupOptions.Errors

	gathering sync.Mutex // guards gather and what gathers in it; taken inside a shard's lock
	gather    *loadBatch // single loads on their way to LoadMany; nil: none

	stats  counters
	shards [shardCount]shard
}

func checkKey(key string) error {
	if key == "" || len(key) > MaxKeyLen {
		return invalidKey(key)
	}
	return nil
}

// get returns the entry of a key, wherever it is, or an error. With a
// *StaleError it returns both.
func (c *groupCore) get(ctx context.Context, key string) (*store.Entry, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	hash := ring.Hash(c.seed, key)
	e := c.hit(hash, key)
	var err error
	if e == nil {
		c.stats.slowGets.Add(1)
		if e, err = c.getSlow(ctx, hash, key); e == nil {
			return nil, err
		}
	}
	if e.Negative {
		c.stats.negativeHits.Add(1)
		return nil, ErrNotFound
	}
	return e, err
}

// hit returns the entry of a key that this member holds, as its owner or as a
// hot copy, else nil. The key may alias a buffer.
func (c *groupCore) hit(hash uint64, key string) *store.Entry {
	v := c.node.view.Load()
	if v == nil {
		return nil
	}
	return c.hitAt(v, hash, key, c.node.now())
}

// hitAt is hit for several keys of one view and one moment. It counts a Get.
func (c *groupCore) hitAt(v *view, hash uint64, key string, now int64) *store.Entry {
	if !v.mine(hash) {
		return c.hotHit(v, hash, key, now)
	}
	if !v.settled.Load() && v.unsettledStanding(hash) != ownsIt || now >= c.node.confirmed.Load() {
		return nil
	}
	e := c.lookup(hash, key, now)
	if e != nil {
		c.stats.hits[hash%hitStripes].own.Add(1)
	}
	return e
}

// hotHit returns the hot copy of a key that another member owns, else nil.
func (c *groupCore) hotHit(v *view, hash uint64, key string, now int64) *store.Entry {
	e, renew := c.hot.GetRenew(hash, key, now)
	if e == nil {
		return nil
	}
	c.stats.hits[hash%hitStripes].hot.Add(1)
	if renew {
		c.renew(v.owner(hash), hash, e.Key)
	}
	return e
}

// routeTries bounds how often one call chases an owner that moves.
const routeTries = 3

// getSlow answers a Get that was no hit here. If nobody could load the value it
// waits for the members to agree on the owner: the value may be on its way there,
// and better late than not found. An owner that cannot be reached is most likely
// on its way out, and another will have its values: that is waited for too, but
// not long.
func (c *groupCore) getSlow(ctx context.Context, hash uint64, key string) (*store.Entry, error) {
	e, err := c.getRouted(ctx, hash, key)
	if c.loader != nil || !isUnsettled(err) && !isUnreachable(err) {
		return e, err
	}
	ctx, cancel := c.node.bounded(ctx)
	defer cancel()
	patience := c.node.now() + int64(silence)
	for isUnsettled(err) || isUnreachable(err) && c.node.now() < patience {
		last := err
		if err = c.node.pause(ctx, fenceRetryMin); err == nil {
			e, err = c.getRouted(ctx, hash, key)
		}
		if err != nil && ctx.Err() != nil {
			if isUnreachable(last) {
				return nil, last
			}
			return nil, unsettled(ctx.Err())
		}
	}
	return e, err
}

// getRouted gets a key by a load if this node owns it, else by asking the owner.
// If the members disagree about the owner it asks whom the peer names, once, and
// then loads without storing, or returns ErrUnsettled if there is no loader.
func (c *groupCore) getRouted(ctx context.Context, hash uint64, key string) (*store.Entry, error) {
	var hint *owner
	for try := 0; try < routeTries; {
		v, err := c.node.currentView(ctx)
		if err != nil {
			return nil, err
		}
		o := v.owner(hash)
		var e *store.Entry
		var named string
		switch {
		case o == nil:
			return nil, ErrClosed
		case hint != nil:
			e, named, err = c.getAt(ctx, hint, hash, key, 0)
		case o.peer == nil:
			e, err = c.loadHere(ctx, hash, key, false)
		default:
			e, named, err = c.getAt(ctx, o, hash, key, 0)
		}
		switch {
		case isLoadOutcome(err): // whatever a loader says is an answer
			return e, err
		case errors.Is(err, errNotOwner):
			c.stats.retries.Add(1)
			hint = c.node.hinted(named, o, hint)
			try++
		case errors.Is(err, ErrUnsettled), errors.Is(err, ErrUnknownGroup):
			if c.loader == nil {
				return nil, err
			}
			return c.loadUnstored(ctx, hash, key)
		case isUnreachable(err) && (hint != nil || c.node.view.Load() != v):
			// It left while it was being asked.
			c.stats.retries.Add(1)
			hint = nil
			try++
		case isUnreachable(err):
			return c.getFromStandIn(ctx, v, hash, key, err)
		default:
			return e, err
		}
	}
	if c.loader == nil {
		return nil, ErrUnsettled
	}
	return c.loadUnstored(ctx, hash, key)
}

// loadHere is load for a Get on this member.
func (c *groupCore) loadHere(ctx context.Context, hash uint64, key string, standIn bool) (*store.Entry, error) {
	e, hit, err := c.load(ctx, hash, key, standIn)
	if hit {
		c.stats.lateHits.Add(1)
	}
	return e, err
}

// isLoadOutcome reports whether err comes from a loader or a Writer, whose errors
// may wrap those of another group.
func isLoadOutcome(err error) bool {
	if _, ok := errors.AsType[*LoadError](err); ok {
		return true
	}
	_, ok := errors.AsType[*WriteError](err)
	return ok
}

// unsettled says why waiting for the members to agree ended.
func unsettled(cause error) error {
	if errors.Is(cause, ErrClosed) {
		return ErrClosed
	}
	return errors.Join(ErrUnsettled, cause)
}

// hinted returns the owner to ask next when a peer said that it is not the owner
// and named another: nil for the owner of this node's own view. It follows one
// hint only.
func (n *Node) hinted(named string, asked, hint *owner) *owner {
	if hint != nil || named == "" || named == n.addr || named == asked.addr {
		return nil
	}
	peer := n.hintedPeer(named)
	if peer == nil {
		return nil
	}
	return &owner{name: named, addr: named, peer: peer}
}

// standIns bounds how many ring successors are asked in place of an owner.
const standIns = 2

// getFromStandIn asks the ring successors of an owner that cannot be reached,
// so that the origin sees one load and not one per member.
func (c *groupCore) getFromStandIn(ctx context.Context, v *view, hash uint64, key string, cause error) (*store.Entry, error) {
	if c.loader == nil {
		return nil, cause
	}
	var buf [standIns + 1]int
	for _, i := range v.ring.Successors(buf[:0], hash, len(buf))[1:] {
		o := &v.owners[i]
		if o.peer == nil {
			return c.loadHere(ctx, hash, key, true)
		}
		e, _, err := c.getAt(ctx, o, hash, key, flagStandIn)
		if isLoadOutcome(err) || !isUnreachable(err) && !errors.Is(err, ErrUnknownGroup) {
			return e, err
		}
	}
	return c.loadUnstored(ctx, hash, key)
}
