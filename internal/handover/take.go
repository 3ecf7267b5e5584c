package handover

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// unpackParcel makes an entry of a value. It owns its bytes.
func unpackParcel(c *owner.Part, p wire.Packed) *store.Entry {
	e := &store.Entry{Key: string(p.Key), Data: append([]byte{}, p.Data...), Version: p.Version, Negative: p.Trace}
	c.SetTTL(e, p.Left)
	c.Allow(e)
	if !p.Trace {
		c.Mark(e, p.Encoding)
	}
	return e
}

// merge stores those values of a list that are newer than what is here, and counts
// those that this node cannot hold. A parked list is as old as age, and keys that were
// deleted meanwhile, never nil then, are left out; what this node owns no more is kept to
// be handed over.
func merge(ctx context.Context, c *owner.Part, list []byte, age time.Duration, deleted deletions) (refused int, err error) {
	for len(list) > 0 {
		p, rest, ok := wire.CutParcel(list)
		if !ok {
			return refused, errMalformedList
		}
		list = rest
		e := unpackParcel(c, p)
		c.Clock.SeeVersion(e.Version.Clock)
		if e.Expires != 0 {
			e.Expires = max(e.Expires-int64(age), 1)
		}
		if deleted.have(&p) {
			continue
		}
		hash := ring.Hash(c.Seed, e.Key)
		err := mergeOne(ctx, c, hash, e, deleted != nil)
		switch {
		case err == nil:
		case errors.Is(err, errs.ErrTooLarge):
			if !p.Trace {
				refused++
			}
		default:
			return refused, err
		}
	}
	return refused, nil
}

// mergeOne stores a value, parked or handed over, if it is newer than what is here.
func mergeOne(ctx context.Context, c *owner.Part, hash uint64, e *store.Entry, parked bool) error {
	if c.Copies() != nil {
		return c.Bring(hash, e)
	}
	err := c.Write(ctx, hash, e.Key, owner.Change{E: e, Merge: true})
	if parked && errs.IsUnsettled(err) {
		err = c.KeepForOthers(hash, e)
	}
	return err
}
