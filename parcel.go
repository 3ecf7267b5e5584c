package cachemesh

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A list of values: for each a uvarint length and the key, the version, the number
// of its primary as a uvarint, the time left in nanoseconds as a uvarint (0: no limit), a flag byte, with flagEncoded the encoding, a uvarint length
// and the value.

const (
	flagTrace   byte = 1 // a Delete
	flagEncoded byte = 2 // the group has a Version
)

// packParcels makes a list of what has not expired, and counts the values in it, not
// the traces of Deletes.
func packParcels(parcels []parcel, now int64) (body []byte, values int) {
	for _, it := range parcels {
		e, left := it.e, time.Duration(0)
		if e.Expires != 0 {
			if left = time.Duration(e.Expires - now); left <= 0 {
				continue
			}
		}
		if !e.Negative {
			values++
		}
		body = appendParcel(body, e.Key, &packed{data: e.Data, version: e.Version, primary: e.Primary, left: left,
			trace: e.Negative, encoding: it.core.EncodingOf(e)})
	}
	return body, values
}

// appendParcel appends a value to a list, under a key that stands for p's.
func appendParcel[K string | []byte](body []byte, key K, p *packed) []byte {
	flags := byte(0)
	if p.trace {
		flags = flagTrace
	}
	if p.encoding != 0 {
		flags |= flagEncoded
	}
	body = binary.AppendUvarint(body, uint64(len(key)))
	body = append(body, key...)
	body = binary.LittleEndian.AppendUint64(body, p.version)
	body = binary.AppendUvarint(body, uint64(p.primary))
	body = binary.AppendUvarint(body, uint64(p.left))
	body = append(body, flags)
	if p.encoding != 0 {
		body = binary.LittleEndian.AppendUint64(body, uint64(p.encoding))
	}
	body = binary.AppendUvarint(body, uint64(len(p.data)))
	return append(body, p.data...)
}

// A packed value is one of a list. Key and data alias the list.
type packed struct {
	key, data []byte
	version   uint64
	primary   uint32
	left      time.Duration // 0: no limit
	trace     bool
	encoding  wire.Encoding
}

// cutParcel splits the first value off a list.
func cutParcel(list []byte) (p packed, rest []byte, ok bool) {
	p.key, list, ok = wire.CutBytes(list)
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
		p.encoding, list = wire.Encoding(binary.LittleEndian.Uint64(list)), list[8:]
	}
	p.data, rest, ok = wire.CutBytes(list)
	return p, rest, ok && p.version != 0
}

// unpackParcel makes an entry of a value. It owns its bytes.
func (c *groupCore) unpackParcel(p packed) *store.Entry {
	e := &store.Entry{Key: string(p.key), Data: append([]byte{}, p.data...), Version: p.version, Primary: p.primary, Negative: p.trace}
	c.SetTTL(e, p.left)
	c.Allow(e)
	if !p.trace {
		c.Mark(e, p.encoding)
	}
	return e
}

// serveHandOver takes values from their former owner, if both act by one view. It
// answers how many it will not have.
func (c *groupCore) serveHandOver(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	if v := c.State.View(); v == nil || v.ID != req.View {
		resp.Status = wire.StatusNotOwner
		return
	}
	c.node.tookOver.Store(c.Clock.Now())
	if c.Origin.Load != nil { // it loads them: for who has them and no loader they are lost
		list, ok := listOf(req.Value, c.Clock.Now())
		if resp.Version = uint64(list.values); !ok {
			c.Errors.Put(resp, errMalformedList)
		}
		return
	}
	refused, err := c.merge(ctx, req.Value, 0, nil)
	resp.Version = uint64(refused)
	c.Errors.Put(resp, err)
}

// merge stores those values of a list that are newer than what is here, and counts
// those that this node cannot hold. A parked list is as old as age, and keys that were
// deleted meanwhile, never nil then, are left out; what this node owns no more is kept to
// be handed over.
func (c *groupCore) merge(ctx context.Context, list []byte, age time.Duration, deleted deletions) (refused int, err error) {
	for len(list) > 0 {
		p, rest, ok := cutParcel(list)
		if !ok {
			return refused, errMalformedList
		}
		list = rest
		e := c.unpackParcel(p)
		c.Clock.SeeVersion(e.Version)
		if e.Expires != 0 {
			e.Expires = max(e.Expires-int64(age), 1)
		}
		if deleted.have(&p) {
			continue
		}
		hash := ring.Hash(c.Seed, e.Key)
		err := c.Write(ctx, hash, e.Key, owner.Change{E: e, Merge: true})
		if deleted != nil && errs.IsUnsettled(err) {
			err = c.KeepForOthers(hash, e)
		}
		switch {
		case err == nil:
		case errors.Is(err, errs.ErrTooLarge):
			if !p.trace {
				refused++
			}
		default:
			return refused, err
		}
	}
	return refused, nil
}

var errMalformedList = errors.New("malformed list of values")
