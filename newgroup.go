package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/codec"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/serve"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// NewGroup registers a group with a node. All members should register it with
// the same loader and options; one that does not know it yet answers so, and
// the others then load for themselves. A nil loader makes a plain distributed
// map, in which a key that was not Set is ErrNotFound.
//
// Register groups before Start, on all members: then no member is ever without one.
// Groups may be registered after it, too. Values that are handed over to a member without
// the group wait there; for two seconds after its Start the others' Gets and Sets of its
// keys wait, if the group has no loader, and then they fail with ErrUnknownGroup until it
// is registered. Errors: *OptionError for an option, an empty or long name or one that is
// taken; ErrClosed.
func NewGroup[V any](n *Node, name string, load LoaderFunc[V], opts GroupOptions[V]) (*Group[V], error) {
	if n == nil {
		return nil, errs.Option("n", nil, errors.New("it is nil"))
	}
	if name == "" || len(name) > wire.MaxGroupLen {
		return nil, errs.Option("name", name, fmt.Errorf("a group's name has 1 to %d bytes", wire.MaxGroupLen))
	}
	if err := opts.validate(n.opts.TotalBytes > 0); err != nil {
		return nil, err
	}
	if err := opts.checkLoading(load); err != nil {
		return nil, err
	}
	if err := opts.checkFormat(); err != nil {
		return nil, err
	}
	return newGroup(n, name, load, opts)
}

func newGroup[V any](n *Node, name string, load LoaderFunc[V], opts GroupOptions[V]) (g *Group[V], err error) {
	err = n.budget.admit(opts.MaxBytes, func(maxBytes int64) (*groupCore, error) {
		opts.MaxBytes = maxBytes
		if g, err = buildGroup(n, name, load, opts); err != nil {
			return nil, err
		}
		return g.core, nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

func buildGroup[V any](n *Node, name string, load LoaderFunc[V], opts GroupOptions[V]) (*Group[V], error) {
	var err error
	var hot *hotcache.Cache // a nil one holds nothing
	p := opts.uses().parts(opts.MaxBytes)
	if p.hot > 0 {
		if hot, err = hotcache.New(hotcache.Options{MaxBytes: p.hot, Threshold: opts.HotReads, Faults: &n.faults}); err != nil {
			return nil, errs.Option("MaxBytes", opts.MaxBytes, err)
		}
	}
	own := strings.Clone(name)
	c := &groupCore{
		node: n, uses: opts.uses(),
	}
	c.Hot, c.Ways = hot, n.ways
	c.server = serve.Server{Part: &c.Part, Hot: hot, Ways: n.ways, Served: func(hash uint64) *atomic.Uint64 { return &c.Stats.Of(hash).Served }}
	c.Init(owner.Basis{
		Setting: &n.setting, Clock: &n.clock, State: n.state, Others: mesh{c},
		Name: own, Seed: ring.Seed(name), Encoding: wire.EncodingOf(opts.Version),
		Origin: &origin.Origin{Group: own, Member: n.name, Known: guard.KnownOf(opts.Errors), Turn: origin.NewTurns(opts.MaxLoads, opts.MaxQueued)},
		Errors: wire.Errors{Group: own, Known: guard.KnownOf(opts.Errors), TooLargeUnreachable: n.faults.TooLargeUnreachable},
		Care: owner.Care{
			LoadTimeout: opts.LoadTimeout, BatchWindow: opts.BatchWindow, NotFoundTTL: opts.NotFoundTTL, FailureTTL: opts.FailureTTL,
			RefreshAfter: opts.RefreshAfter, RefreshPart: opts.RefreshPart,
			StaleFor: opts.StaleFor, StaleWait: opts.StaleWait, FinishLoads: opts.FinishLoads,
		},
	}, p.room(opts.MaxBytes))
	c.Loading, c.closure.callOff = context.WithCancel(n.life.Context())
	if c.Store, err = store.New(store.Options{MaxBytes: p.store, Reserved: c.reserved()}); err != nil {
		c.closure.callOff()
		return nil, errs.Option("MaxBytes", opts.MaxBytes, err)
	}
	g := &Group[V]{core: c, format: codec.New(opts.Codec), opts: opts}
	if g.format.Kind == codec.EncodedKind {
		c.DecodedSize, c.LeasedEntry = max(g.format.Size, 1), g.leasedEntry
	}
	c.Aliases = g.format.Kind != codec.EncodedKind || opts.Codec != nil
	g.attach(load)
	if err := n.addGroup(c); err != nil {
		c.closure.callOff()
		c.Store.Close()
		return nil, err
	}
	return g, nil
}
