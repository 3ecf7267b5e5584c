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
	for _, p := range parcels {
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
		} else {
			values++
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
	return body, values
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
	c.copyExtra(e)
	if !p.trace {
		c.mark(e, p.encoding)
	}
	return e
}

// serveHandOver takes values from their former owner, if both act by one view. It
// answers how many it will not have.
func (c *groupCore) serveHandOver(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	if v := c.node.view.Load(); v == nil || v.id != req.View {
		resp.Status = statusNotOwner
		return
	}
	if c.loader != nil { // it loads them: for who has them and no loader they are lost
		list, ok := listOf(req.Value, c.node.now())
		if resp.Version = uint64(list.values); !ok {
			c.putError(resp, errMalformedList)
		}
		return
	}
	refused, err := c.merge(ctx, req.Value, 0, nil)
	resp.Version = uint64(refused)
	c.putError(resp, err)
}

// merge stores those values of a list that are newer than what is here, and counts
// those that this node cannot hold. A parked list is as old as age, and keys that were
// deleted meanwhile, never nil then, are left out; those that this node owns no more are
// counted too.
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
		case err == nil:
		case errors.Is(err, ErrTooLarge), deleted != nil && isUnsettled(err):
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
