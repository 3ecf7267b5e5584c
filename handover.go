package cachemesh

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A parcel is a value that another member owns now. Only values that nobody
// could load again are handed over.
type parcel struct {
	core *groupCore
	hash uint64
	e    *store.Entry
}

const (
	// handOverTime is how long new owners wait for values of which none could be
	// handed over meanwhile. As long as some are, they wait: there may be millions.
	handOverTime = 5 * time.Second

	// traceFor is how long a Delete in a group without a loader is remembered
	// while a member is missing, and how long after it was forgotten Deletes still
	// are.
	traceFor = time.Hour
)

// nextVersion returns a version greater than all that this node gave or saw. It
// follows the wall clock, so that of two writes on two sides of a cut the later
// one most likely counts (a hybrid logical clock, Kulkarni et al. 2014, without
// its logical part's bits).
func (n *Node) nextVersion() uint64 {
	for {
		last := n.version.Load()
		next := max(uint64(time.Now().UnixNano()), last+1)
		if n.version.CompareAndSwap(last, next) {
			return next
		}
	}
}

// seeVersion makes later versions of this node greater than v.
func (n *Node) seeVersion(v uint64) {
	for last := n.version.Load(); v > last; last = n.version.Load() {
		if n.version.CompareAndSwap(last, v) {
			return
		}
	}
}

// handOver sends values to their new owners in the background. Until it is done
// this node acknowledges no view, so that the new owners do not begin without
// them. What nobody took for handOverTime, or until the node closed, is lost.
func (n *Node) handOver(parcels []parcel) {
	if len(parcels) == 0 {
		return
	}
	n.handing.Add(1)
	ok := n.spawn(func() {
		defer n.settler.poke() // the vote that waited for this
		defer n.handing.Add(-1)
		wait, progress := retryFloor, n.now()
		for {
			rest := n.deliver(n.closeCtx, parcels)
			if len(rest) == 0 {
				return
			}
			if len(rest) < len(parcels) {
				wait, progress = retryFloor, n.now()
			}
			parcels = rest
			if n.now()-progress >= int64(handOverTime) || n.pause(n.closeCtx, wait) != nil {
				n.lose(parcels)
				return
			}
			wait = min(2*wait, retryCeiling)
		}
	})
	if !ok {
		n.lose(parcels)
		n.handing.Add(-1)
	}
}

// lose counts values that nobody took.
func (n *Node) lose(parcels []parcel) {
	values := 0
	for _, p := range parcels {
		if p.isValue(n.now()) {
			values++
		}
	}
	n.loseValues(values)
}

func (n *Node) loseValues(values int) {
	if values > 0 {
		n.lost.Add(uint64(values))
		n.log.Warn("values that no loader could bring back were not handed over and are lost", "values", values)
	}
}

// isValue reports whether it is a value, and not the trace of a Delete or expired.
func (p parcel) isValue(now int64) bool {
	return !p.e.Negative && (p.e.Expires == 0 || p.e.Expires > now)
}

// loseHeld counts what a node that closes in disorder still holds.
func (n *Node) loseHeld() {
	v, values := n.view.Load(), 0
	if v == nil {
		return
	}
	for _, c := range n.groups.all() {
		if c.loader != nil {
			continue
		}
		c.store.Range(n.now(), func(hash uint64, e *store.Entry) bool {
			if !e.Negative && v.standing(hash) == ownsIt {
				values++
			}
			return true
		})
	}
	n.loseValues(values + n.keptValues())
}

// deliver sends each value to its owner by the newest view, and returns those
// that were not taken. When the last member leaves, the values of the mesh end with it;
// but not if others may live where this one cannot see them.
func (n *Node) deliver(ctx context.Context, parcels []parcel) (rest []parcel) {
	v := n.view.Load()
	if v == nil {
		return parcels
	}
	type address struct {
		o *owner
		c *groupCore
	}
	piles := make(map[address][]parcel)
	for _, p := range parcels {
		if o := v.owner(p.hash); o != nil {
			piles[address{o, p.core}] = append(piles[address{o, p.core}], p)
		} else if n.tracing.Load() {
			rest = append(rest, p)
		}
	}
	for to, pile := range piles {
		for len(pile) > 0 {
			body, count := packParcels(pile, n.now())
			if !to.c.deliverTo(ctx, v, to.o, body) {
				rest = append(rest, pile...)
				break
			}
			pile = pile[count:]
		}
	}
	return rest
}

// deliverTo sends one list. It reports whether it is settled: taken, or never
// to be.
func (c *groupCore) deliverTo(ctx context.Context, v *view, o *owner, body []byte) bool {
	if o.peer == nil && c.isCut() {
		return c.node.keepAgain(c, body)
	}
	if o.peer == nil { // it came back to this node
		_, err := c.merge(ctx, body, 0, nil)
		return err == nil
	}
	ctx, cancel := context.WithTimeout(ctx, handOverTime)
	defer cancel()
	k := newCall(opHandOver, c.name, "")
	defer k.free()
	k.req.View, k.req.Value = v.id, body
	err := k.do(ctx, c, o)
	return err == nil || k.resp.Status == statusUnknownGroup || k.resp.Status == statusInvalid
}

// A list of values: for each a uvarint length and the key, the version, the number
// of its primary as a uvarint, the time left in nanoseconds as a uvarint (0: no limit), a flag byte, with flagEncoded the encoding, a uvarint length
// and the value.

const (
	flagTrace   byte = 1 // a Delete
	flagEncoded byte = 2 // the group has a Version
)

func packParcels(parcels []parcel, now int64) (body []byte, count int) {
	for _, p := range parcels {
		if count > 0 && len(body)+len(p.e.Key)+len(p.e.Data) > batchBytes {
			break
		}
		count++
		left := uint64(0)
		if p.e.Expires != 0 {
			if p.e.Expires <= now {
				continue
			}
			left = uint64(p.e.Expires - now)
		}
		flags := byte(0)
		if p.e.Negative {
			flags = flagTrace
		}
		enc := p.core.encodingOf(p.e)
		if enc != 0 {
			flags |= flagEncoded
		}
		body = binary.AppendUvarint(body, uint64(len(p.e.Key)))
		body = append(body, p.e.Key...)
		body = binary.LittleEndian.AppendUint64(body, p.e.Version)
		body = binary.AppendUvarint(body, uint64(p.e.Primary))
		body = binary.AppendUvarint(body, left)
		body = append(body, flags)
		if enc != 0 {
			body = binary.LittleEndian.AppendUint64(body, uint64(enc))
		}
		body = binary.AppendUvarint(body, uint64(len(p.e.Data)))
		body = append(body, p.e.Data...)
	}
	return body, count
}

// A packed value is one of a list. Key and data alias the list.
type packed struct {
	key, data []byte
	version   uint64
	primary   uint32
	left      time.Duration // 0: no limit
	trace     bool
	encoding  encoding
}

// cutParcel splits the first value off a list.
func cutParcel(list []byte) (p packed, rest []byte, ok bool) {
	p.key, list, ok = cutBytes(list)
	if !ok || len(p.key) == 0 || len(p.key) > MaxKeyLen || len(list) < 8 {
		return p, nil, false
	}
	p.version = binary.LittleEndian.Uint64(list)
	list = list[8:]
	primary, n := binary.Uvarint(list)
	if n <= 0 || primary > math.MaxUint32 {
		return p, nil, false
	}
	p.primary, list = uint32(primary), list[n:]
	left, n := binary.Uvarint(list)
	if n <= 0 || left > math.MaxInt64 || len(list) <= n {
		return p, nil, false
	}
	flags, list := list[n], list[n+1:]
	p.left, p.trace = time.Duration(left), flags&flagTrace != 0
	if flags&flagEncoded != 0 {
		if len(list) < 8 {
			return p, nil, false
		}
		p.encoding, list = encoding(binary.LittleEndian.Uint64(list)), list[8:]
	}
	p.data, rest, ok = cutBytes(list)
	return p, rest, ok && p.version != 0
}

// unpackParcel makes an entry of a value. It owns its bytes.
func (c *groupCore) unpackParcel(p packed) *store.Entry {
	e := &store.Entry{Key: string(p.key), Data: append([]byte{}, p.data...), Version: p.version, Primary: p.primary, Negative: p.trace}
	c.setTTL(e, p.left)
	c.allow(e)
	if !p.trace {
		c.mark(e, p.encoding)
	}
	return e
}

// serveHandOver takes values from their former owner, if both act by one view.
func (c *groupCore) serveHandOver(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	if v := c.node.view.Load(); v == nil || v.id != req.View {
		resp.Status = statusNotOwner
		return
	}
	if c.loader != nil {
		return // it is loaded again
	}
	_, err := c.merge(ctx, req.Value, 0, nil)
	c.putError(resp, err)
}

// merge stores those values of a list that are newer than what is here. A parked
// list is as old as age, and keys that were deleted meanwhile, never nil then, are
// left out; so are those that this node owns no more, which it counts.
func (c *groupCore) merge(ctx context.Context, list []byte, age time.Duration, deleted map[string]struct{}) (refused int, err error) {
	for len(list) > 0 {
		p, rest, ok := cutParcel(list)
		if !ok {
			return refused, errMalformedList
		}
		list = rest
		e := c.unpackParcel(p)
		c.node.seeVersion(e.Version)
		if e.Expires != 0 {
			e.Expires = max(e.Expires-int64(age), 1)
		}
		if _, gone := deleted[e.Key]; gone {
			continue
		}
		switch err := c.write(ctx, ring.Hash(c.seed, e.Key), e.Key, change{e: e, merge: true}); {
		case deleted != nil && isUnsettled(err):
			refused++
		case err != nil && !errors.Is(err, ErrTooLarge):
			return refused, err
		}
	}
	return refused, nil
}

var errMalformedList = errors.New("malformed list of values")
