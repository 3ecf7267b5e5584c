package groups

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/handover"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/serve"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Options are what a registry stands on.
type Options struct {
	Setting    owner.Setting // of the parts of the groups; its Duties are the registry's
	Clock      *clock.Clock
	State      *view.State
	Ways       *reach.Ways
	TotalBytes int64 // for all groups; 0: no bound

	Unknown func(name string) // the user's, and may register a group that a peer asks for; nil: none
}

// A Settler settles the node's views.
type Settler interface {
	// Poke says that something is over for which it may have waited.
	Poke()
	// WhileStill calls f while no view is adopted.
	WhileStill(f func())
}

// A Registry is a node's groups. Its methods are called concurrently.
type Registry struct {
	Mover  *handover.Mover
	Budget Budget

	held     *session.Holder // what stands with the owners of copies that this member holds
	renewals serve.Renewals

	setting owner.Setting
	clock   *clock.Clock
	state   *view.State
	ways    *reach.Ways
	unknown func(name string) // nil: none
	settler Settler           // set before the first group is made

	duties  owner.Duties
	started atomic.Int64 // when the node's Start returned; 0: it has not

	table   table
	mu      sync.Mutex // guards retired, and writes of table
	retired retired
}

// parkedShare says, as 1/parkedShare, how much of Options.TotalBytes may be parked.
const parkedShare = 4

// New returns the registry of a node, which has no groups yet. SettledBy must follow.
func New(o Options) *Registry {
	r := &Registry{setting: o.Setting, clock: o.Clock, state: o.State, ways: o.Ways, unknown: o.Unknown}
	r.setting.Duties = &r.duties
	r.setting.Sessions = session.NewGranted(int64(o.Setting.Lease), o.Setting.Faults.Sessions)
	r.held = session.NewHolder(int64(o.Setting.Lease), o.Setting.Faults.Sessions)
	r.renewals = serve.Renewals{Life: o.Setting.Life, Clock: o.Clock, State: o.State, Ways: o.Ways, Sessions: r.setting.Sessions}
	r.Budget.total = o.TotalBytes
	most := handover.MaxBytes
	if o.TotalBytes > 0 {
		most = int(min(handover.MaxBytes, o.TotalBytes/parkedShare))
	}
	r.Mover = handover.New(handover.Options{
		Life: o.Setting.Life, Clock: o.Clock, State: o.State, Log: o.Setting.Log, Duties: &r.duties,
		Groups: parts{r}, Way: delivery{r}, Run: o.Setting.Run, MaxParked: most,
	})
	r.retired = retired{groups: make(map[string]*Core), parking: &r.Mover.Parking}
	return r
}

// SettledBy says who settles the node's views.
func (r *Registry) SettledBy(s Settler) { r.settler, r.duties.Poke = s, s.Poke }

// Started says that the node's Start is over.
func (r *Registry) Started() { r.started.Store(max(r.clock.Now(), 1)) }

// All returns the groups that are registered, in the order of their registration. The slice
// is read-only.
func (r *Registry) All() []*Core { return r.table.all() }

// Open returns the group of a name that may alias a buffer, nil if there is none that
// is open.
func (r *Registry) Open(name string) *Core { return r.table.open(name) }

// Register registers a group; one that cannot be is discarded. Errors: *errs.OptionError;
// errs.ErrClosed if the node closes.
func (r *Registry) Register(c *Core) error {
	for unloaded := false; ; unloaded = true {
		parked, err := r.enter(c)
		if parked == nil {
			if unloaded {
				r.Mover.HandOver() // of what was parked, some may be others' by now
			}
			if err != nil {
				c.discard()
			}
			return err
		}
		r.Mover.Parking.Unload(&c.Part, parked)
		defer func() {
			r.duties.Handing.Add(-1)
			r.settler.Poke()
		}()
	}
}

// enter is tryRegister. What keeps copies has a view from then on, and no other comes between.
func (r *Registry) enter(c *Core) (parked *handover.Parked, err error) {
	if c.Copies() == nil {
		return r.tryRegister(c)
	}
	r.settler.WhileStill(func() {
		if parked, err = r.tryRegister(c); parked == nil && err == nil {
			r.adoptCopies(c)
		}
	})
	if parked == nil && err == nil {
		c.tellOthers()
	}
	return parked, err
}

// tryRegister registers a group, or returns what must be stored in it first.
func (r *Registry) tryRegister(c *Core) (*handover.Parked, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.setting.Life.IsClosing() {
		return nil, errs.ErrClosed
	}
	taken := r.table.find(c.Name) != nil
	var parked *handover.Parked
	if !taken {
		parked, taken = r.Mover.Parking.Enter(&c.Part, func() { r.table.addLocked(c) })
	}
	if taken {
		return nil, errs.Option("name", c.Name, errors.New("the node has a group of this name"))
	}
	if parked == nil {
		r.retired.inherit(c)
	}
	return parked, nil
}

// Close ends what the groups hold. The node closes: none is registered any more.
func (r *Registry) Close() {
	r.mu.Lock()
	all := r.table.all()
	r.mu.Unlock()
	for _, c := range all {
		c.Part.Close()
		c.Hot.Close()
	}
}

// parts are a node's groups as what moves their values sees them.
type parts struct{ *Registry }

func (r parts) Parts() iter.Seq[*owner.Part] {
	return func(yield func(*owner.Part) bool) {
		for _, c := range r.table.all() {
			if !yield(&c.Part) {
				return
			}
		}
	}
}

func (r parts) IsOpen(name string) bool { return r.Open(name) != nil }

// delivery is a node as what hands its values over calls their new owners.
type delivery struct{ *Registry }

func (r delivery) Deliver(ctx context.Context, v *view.View, o *view.Owner, group string, list []byte) (handover.Reply, error) {
	if c := r.table.find(group); c != nil {
		c.Stats.Of(0).PeerCalls.Add(1)
	}
	k := wire.NewCall(wire.OpHandOver, group, "")
	defer k.Free()
	k.Req.View, k.Req.Value, k.Req.Idempotent = v.ID, list, true
	if err := r.ways.CallMember(ctx, o, &k.Req, &k.Resp); err != nil {
		return handover.Reply{}, err
	}
	return handover.Reply{Status: k.Resp.Status, Refused: k.Resp.Version}, nil
}
