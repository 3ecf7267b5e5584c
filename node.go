package cachemesh

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/codec"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/logqueue"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/settle"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
	"github.com/praveenduddu/cachemesh/membership"
)

// A Node is one member of the mesh. Its methods are called concurrently.
type Node struct {
	opts  Options // validated, with defaults
	name  string
	addr  string          // advertised
	boot  uint64          // identity of this run of the process
	id    string          // name and boot
	log   *slog.Logger    // through logs: it never calls the user's handler, so it may be used under locks
	logs  *logqueue.Queue // in front of Options.Logger
	clock clock.Clock     // zero of now is when the node was made
	life  *life.Life

	sockets sockets
	pool    *httppool.Pool
	server  *http.Server // nil with Options.ExternalServer
	ways    *reach.Ways  // to other members

	state *view.State // what the node believes, and may do

	groups    registry
	budget    budget
	defaultKV *Group[[]byte]

	settler *settle.Settler
	mover   mover              // has a lock of its own
	faults  faultinject.Faults // of this module's own tests; none otherwise

	duties  owner.Duties
	setting owner.Setting // of the parts of its groups
	started atomic.Int64  // when Start returned; 0: it has not
	lost    atomic.Uint64 // values that nobody took when this member's keys moved

	handedOver atomic.Uint64 // values that somebody took
	tookOver   atomic.Int64  // when this node was handed some last; 0: never

	mu      sync.Mutex             // guards the fields below, and writes of groups
	parked  parking                // values for groups that are not registered yet
	retired retired                // groups that were closed and left something
	members *membership.Membership // nil before Start

}

// New validates the options and binds the node's port, so that its address is
// known; it does not serve yet. Its errors are *OptionError.
func New(o Options) (*Node, error) {
	o, err := o.validate()
	if err != nil {
		return nil, err
	}
	n := &Node{
		opts: o, logs: logqueue.New(o.Logger.Handler()), boot: newBoot(),
		life: life.New(),
	}
	n.clock.Start()
	state, writes := view.NewState(n.life, &n.clock, o.MaxStale)
	n.state = state
	n.budget.total, n.parked.most = o.TotalBytes, parkedBytes
	if o.TotalBytes > 0 {
		n.parked.most = int(min(parkedBytes, o.TotalBytes/parkedShare))
	}
	n.log = n.logs.Logger()
	n.parked.groups, n.parked.heirs = make(map[string]*parkedGroup), make(map[string]*groupCore)
	if n.sockets, err = bind(&o); err != nil {
		return nil, err
	}
	if err := n.build(writes); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// build makes the parts that need no network traffic.
func (n *Node) build(writes view.Writer) (err error) {
	if n.addr, err = advertised(&n.opts, n.sockets); err != nil {
		return err
	}
	n.name = n.opts.Name
	setDefault(&n.name, n.addr)
	n.id = membership.Member{Name: n.name, Boot: n.boot}.ID()
	n.log = n.log.With("member", n.name)
	if err := n.checkGossip(); err != nil {
		return err
	}
	n.settler = n.newSettler(writes)
	n.duties.Poke = n.settler.Poke
	n.setting = owner.Setting{
		Life: n.life, Log: n.log, Faults: &n.faults, Duties: &n.duties, Member: n.name, Addr: n.addr,
		Lease: n.opts.Lease, Right: n.opts.Right, AnswerLimit: n.opts.MaxValueBytes + wire.BatchBytes, ErrorSize: codec.ErrorSize,
	}
	if err := n.buildPool(); err != nil {
		return err
	}
	n.defaultKV, err = newGroup[[]byte](n, "", nil, GroupOptions[[]byte]{MaxBytes: n.opts.MaxBytes, LoadTimeout: n.opts.CallTimeout})
	return err
}

// newBoot returns a random identity, never zero.
func newBoot() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:]) | 1
}

// Addr returns the host:port that peers dial.
func (n *Node) Addr() string { return n.addr }

// Name returns the member's name.
func (n *Node) Name() string { return n.name }

// Members returns the members that this node knows of, itself included, sorted
// by name. It is empty before Start and after Close.
func (n *Node) Members() []Member {
	v := n.state.View()
	if v == nil {
		return nil
	}
	members := make([]Member, len(v.Members))
	for i, m := range v.Members {
		members[i] = Member{Name: m.Name, Addr: m.Addr, Self: m.ID == n.id, Leaving: m.Leaving}
	}
	return members
}

// Handler returns the handler of peer connections, to be mounted under
// "/_cachemesh/" on a server of your own; see Options.ExternalServer. It needs
// HTTP/1.1.
func (n *Node) Handler() http.Handler { return n.pool }

// Start serves and joins the mesh. It returns once this node is a member and
// ready for every operation, or, if no bootstrap node answered in JoinTimeout,
// once it serves alone. Errors: ErrJoin if those that answered refused this node,
// and with RequireJoin; ErrNameTaken; an *OptionError if its address is not known
// in JoinTimeout, or is not its own; ErrClosed; an error if it was called before.
// After an error the node is closed. Register groups before: see NewGroup.
func (n *Node) Start() error {
	if err := n.life.Start(); err != nil {
		return err
	}
	if err := n.start(); err != nil {
		n.Close()
		return err
	}
	return nil
}

func (n *Node) start() error {
	n.warnIfOpen()
	ctx, cancel := context.WithTimeout(n.life.Context(), n.opts.JoinTimeout)
	defer cancel()
	own, err := n.gossip(ctx)
	if err != nil {
		return err
	}
	if err := n.join(ctx, own); err != nil {
		return err
	}
	if !n.life.Serve() {
		return errs.ErrClosed
	}
	n.settler.Adopt(n.members.View()) // one may have come between the last and now
	n.settler.AwaitMesh()
	n.settler.GiveUp()
	n.started.Store(max(n.clock.Now(), 1))
	return nil
}

// addGroup registers a group. Its errors are *OptionError and ErrClosed.
func (n *Node) addGroup(c *groupCore) error {
	for fetched := false; ; fetched = true {
		parked, err := n.tryAddGroup(c)
		if parked == nil {
			if fetched {
				n.handOver() // of what was parked, some may be others' by now
			}
			return err
		}
		c.fetchParked(parked)
		defer func() {
			n.duties.Handing.Add(-1)
			n.settler.Poke()
		}()
	}
}

// tryAddGroup registers a group, or returns what must be stored in it first.
func (n *Node) tryAddGroup(c *groupCore) (*parkedGroup, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life.IsClosing() {
		return nil, errs.ErrClosed
	}
	if heir := n.parked.heirs[c.Name]; n.groups.find(c.Name) != nil || heir != nil && heir != c {
		return nil, errs.Option("name", c.Name, errors.New("the node has a group of this name"))
	}
	if parked := n.parked.takeLocked(c.Name); parked != nil {
		n.parked.heirs[c.Name] = c // it has the name, and Deletes wait for it
		n.duties.Handing.Add(1)    // until the mover sees what is not this node's any more
		return parked, nil
	}
	delete(n.parked.heirs, c.Name)
	n.groups.addLocked(c)
	n.inheritLocked(c)
	return nil, nil
}

// group returns the group of a name that may alias a buffer, nil if there is none that
// is open.
func (n *Node) group(name string) *groupCore {
	if c := n.groups.find(name); c != nil && !c.IsCut() {
		return c
	}
	return nil
}

// String identifies the node in logs and test failures.
func (n *Node) String() string { return fmt.Sprintf("%s (%s)", n.name, n.addr) }

// A Member is one process in the mesh, as this node sees it.
type Member struct {
	Name    string
	Addr    string // what peers dial
	Self    bool
	Leaving bool // it is shutting down and owns nothing any more
}
