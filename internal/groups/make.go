package groups

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/serve"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Spec says what a group is, but for what its type brings.
type Spec struct {
	Name                string // may alias a buffer
	Version             string
	Known               []error // that keep their identity when they cross the mesh
	MaxBytes            int64
	Uses                Uses
	HotReads            int
	MaxLoads, MaxQueued int
	Care                owner.Care
	Tell                func(key string) // the user's, before what it was lent changes; "": all; nil: none
	Replicas            int              // members that hold a value that is written; 0 and 1: its owner alone
	Fewer               bool             // where fewer have registered the group, as many as have will do
}

// Make makes a group, whose functions and format are set before it is registered. Errors:
// *errs.OptionError.
func (r *Registry) Make(s Spec) (*Core, error) {
	var err error
	var hot *hotcache.Cache // a nil one holds nothing
	p := s.Uses.shares(s.MaxBytes)
	if p.hot > 0 {
		if hot, err = hotcache.New(hotcache.Options{MaxBytes: p.hot, Threshold: s.HotReads, Faults: r.setting.Faults}); err != nil {
			return nil, errs.Option("MaxBytes", s.MaxBytes, err)
		}
	}
	name, known := strings.Clone(s.Name), guard.KnownOf(s.Known)
	c := &Core{uses: s.Uses, lent: s.Tell}
	c.Hot, c.Ways, c.Held = hot, r.ways, r.held
	c.server = serve.Server{
		Answers: serve.Answers{Part: &c.Part, Served: func(hash uint64) *atomic.Uint64 { return &c.Stats.Of(hash).Served }},
		Hot:     hot, Renewals: &r.renewals, Ways: r.ways, Tell: s.tellFunc(c),
		Noted: func(ctx context.Context, ids []uint64, wait time.Duration) []bool {
			return c.Noted.Await(ctx, c.Life, c.Clock, ids, wait)
		},
	}
	c.Init(owner.Basis{
		Setting: &r.setting, Clock: r.clock, State: r.state, Others: others{c, &r.table},
		Name: name, Seed: ring.Seed(name), Encoding: wire.EncodingOf(s.Version),
		Origin: &origin.Origin{Group: name, Member: r.setting.Member, Known: known, Turn: origin.NewTurns(s.MaxLoads, s.MaxQueued)},
		Errors: wire.Errors{Group: name, Known: known, TooLargeUnreachable: r.setting.Faults.TooLargeUnreachable},
		Care:   s.Care,
	}, p.room(s.MaxBytes))
	c.Loading, c.closure.callOff = context.WithCancel(r.setting.Life.Context())
	opts := store.Options{MaxBytes: p.store, Reserved: c.reserved()}
	if s.Uses.Tags || s.Uses.Listens {
		opts.OnGone = c.Gone
	}
	if s.Replicas > 1 {
		opts.OnEvict = c.Evicted
	}
	if c.Store, err = store.New(opts); err != nil {
		c.closure.callOff()
		return nil, errs.Option("MaxBytes", s.MaxBytes, err)
	}
	if s.Replicas > 1 {
		c.KeepCopies(owner.Copies{Of: s.Replicas, Fewer: s.Fewer, Self: r.ways.ID, Listens: s.Uses.Listens, Carrier: carrier{c},
			Lost: func(n int) { r.Mover.Lose(c.Name, n) }})
	}
	return c, nil
}

// others is a group as its part sees the other members.
type others struct {
	*Core
	table *table
}

func (c others) Invalidate(ctx context.Context, holder *view.Owner, hash uint64, key string) bool {
	k := wire.NewCall(wire.OpInvalidate, c.Name, key)
	defer k.Free()
	if key == "" {
		k.Req.Arg = hash
	}
	return c.invalidate(ctx, holder, k)
}

func (c others) InvalidateAll(ctx context.Context, holder *view.Owner) bool {
	k := wire.NewCall(wire.OpInvalidate, c.Name, "")
	defer k.Free()
	k.Req.Flags = wire.FlagAll
	return c.invalidate(ctx, holder, k)
}

func (c others) invalidate(ctx context.Context, holder *view.Owner, k *wire.Call) bool {
	if holder.Peer == nil {
		key, told := k.Req.Key, make(chan struct{})
		go func() {
			defer close(told)
			c.tell(key)
		}()
		select {
		case <-told:
			return true
		case <-ctx.Done():
			return false
		}
	}
	k.Req.Idempotent = true
	err := c.Ways.CallMember(ctx, holder, &k.Req, &k.Resp) // only the holder's own word counts
	return err == nil && (k.Resp.Status == wire.StatusOK || k.Resp.Status == wire.StatusUnknownGroup)
}

func (c others) Forget(ctx context.Context, hash uint64, key string) error {
	return c.heir().Change(ctx, hash, key, owner.Change{CacheOnly: true})
}

func (c others) Holding(ctx context.Context, member string, ids []uint64, wait time.Duration) (held []bool, gone bool, err error) {
	if member == c.Ways.ID {
		return c.Noted.Await(ctx, c.Life, c.Clock, ids, wait), false, nil
	}
	v := c.State.View()
	if v == nil || v.Peers[member] == nil {
		return nil, true, nil
	}
	k := wire.NewCall(wire.OpHolding, c.Name, "")
	defer k.Free()
	k.Req.Value, k.Req.TTL, k.Req.Idempotent = wire.PackIDs(ids), wait, true
	o := v.Peers[member]
	if err := c.Ways.CallMember(ctx, o, &k.Req, &k.Resp); err != nil {
		return nil, false, wire.TransportError(ctx, wire.OpHolding, o.Name, o.Addr, err)
	}
	switch k.Resp.Status {
	case wire.StatusOK:
		if held, ok := wire.ParseHeld(k.Resp.Value, len(ids)); ok {
			return held, false, nil
		}
	case wire.StatusUnknownGroup:
		return make([]bool, len(ids)), false, nil
	}
	return nil, false, c.Errors.Of(o.Name, o.Addr, wire.OpHolding, "", &k.Resp)
}

// heir returns the group that is registered under the name of this one by now.
func (c others) heir() *Core {
	if c.IsCut() {
		if h := c.table.open(c.Name); h != nil {
			return h
		}
	}
	return c.Core
}

// tellFunc returns what tells the user of a group, nil if nobody is to be told.
func (s *Spec) tellFunc(c *Core) func(key string) {
	if s.Tell == nil {
		return nil
	}
	return c.tell
}
