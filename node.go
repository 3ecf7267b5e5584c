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
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/logqueue"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/seam"
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
	clock seam.Clock      // zero of now is when the node was made

	complained atomic.Int64 // when the log last said that a user's hook failed; 0: never

	sockets sockets
	pool    *httppool.Pool
	server  *http.Server // nil with Options.ExternalServer
	peers   transport

	// view is nil before the node serves and after it closed. It is replaced as
	// a whole, by the membership's one goroutine and by closing.
	view atomic.Pointer[view]

	// confirmed is when, on the node's clock, the right to serve what is held
	// lapses. The settler sets it.
	confirmed atomic.Int64

	groups    registry
	budget    budget
	defaultKV *Group[[]byte]

	settler *settler
	mover   mover              // has a lock of its own
	faults  faultinject.Faults // of this module's own tests; none otherwise

	era     atomic.Uint32 // entries note the era in which they were stored; it grows when what is held must go
	phase   atomic.Uint32 // a phase: by what right this node answers
	primary atomic.Uint32 // number of the primary by which it last acted
	tracing atomic.Bool   // a member is missing, or was and may be back yet: a Delete of what cannot be loaded leaves a trace
	relayed atomic.Uint64 // calls that another member passed on
	handing atomic.Int64  // the mover, if it runs, and Writers that run for what new owners own
	started atomic.Int64  // when Start returned; 0: it has not
	telling atomic.Int64  // writes of the origin of which new owners are being told
	version atomic.Uint64 // the newest version given or seen
	lost    atomic.Uint64 // values that nobody took when this member's keys moved

	handedOver atomic.Uint64 // values that somebody took
	tookOver   atomic.Int64  // when this node was handed some last; 0: never

	adopting sync.Mutex       // held while a view is adopted, so that views follow each other; guards the fields below
	gossiped *membership.View // the latest; nil before the first was adopted
	absent   absent

	mandate  mandate  // has a lock of its own
	evidence evidence // belongs to the goroutine that seeks it

	mu      sync.Mutex          // guards the fields below, and writes of groups
	hints   map[string]struct{} // addresses that peers named as owners
	parked  parking             // values for groups that are not registered yet
	retired retired             // groups that were closed and left something
	state   state
	members *membership.Membership // nil before Start

	serving  chan struct{}   // closed when Start has joined or given up
	closing  chan struct{}   // closed when the node begins to close
	closed   chan struct{}   // closed when nothing of the node runs any more
	closeCtx context.Context // ends when the node begins to close
	cancel   context.CancelFunc
	work     sync.WaitGroup // the node's goroutines
}

type state uint8

const (
	stateNew state = iota
	stateStarting
	stateServing
	stateClosed
)

// New validates the options and binds the node's port, so that its address is
// known; it does not serve yet. Its errors are *OptionError.
func New(o Options) (*Node, error) {
	o, err := o.validate()
	if err != nil {
		return nil, err
	}
	n := &Node{
		opts: o, logs: logqueue.New(o.Logger.Handler()), boot: newBoot(),
		serving: make(chan struct{}), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	n.clock.Start()
	n.budget.total, n.parked.most = o.TotalBytes, parkedBytes
	if o.TotalBytes > 0 {
		n.parked.most = int(min(parkedBytes, o.TotalBytes/parkedShare))
	}
	n.log = n.logs.Logger()
	n.closeCtx, n.cancel = context.WithCancel(context.Background())
	n.hints = make(map[string]struct{})
	n.parked.groups, n.parked.heirs = make(map[string]*parkedGroup), make(map[string]*groupCore)
	n.absent = absent{missing: make(map[string]missed), after: int64(n.opts.ForgetAfter)}
	n.evidence = evidence{refused: make(map[string]int), silent: make(map[string]int64)}
	n.settler = newSettler(n)
	if n.sockets, err = bind(&o); err != nil {
		return nil, err
	}
	if err := n.build(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// build makes the parts that need no network traffic.
func (n *Node) build() (err error) {
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
	n.mandate.core = quorum.New(quorum.Config{
		Self:  quorum.Member{ID: n.id, Name: n.name, Addr: n.addr, Life: 1},
		Right: int64(n.opts.Right), Lease: int64(n.opts.Lease),
		Unreachable: int64(unreachable), ForgetAfter: int64(n.opts.ForgetAfter),
	})
	if len(n.opts.BootstrapNodes) == 0 {
		n.mandate.core.Found() // nobody else is there
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

// now returns nanoseconds on this process's monotonic clock. No two members
// compare theirs.
func (n *Node) now() int64 { return n.clock.Mono() }

// Addr returns the host:port that peers dial.
func (n *Node) Addr() string { return n.addr }

// Name returns the member's name.
func (n *Node) Name() string { return n.name }

// Members returns the members that this node knows of, itself included, sorted
// by name. It is empty before Start and after Close.
func (n *Node) Members() []Member {
	v := n.view.Load()
	if v == nil {
		return nil
	}
	members := make([]Member, len(v.members))
	for i, m := range v.members {
		members[i] = Member{Name: m.Name, Addr: m.Addr, Self: m.ID() == n.id, Leaving: m.Leaving}
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
	n.mu.Lock()
	switch n.state {
	case stateNew:
		n.state = stateStarting
	case stateClosed:
		n.mu.Unlock()
		return ErrClosed
	default:
		n.mu.Unlock()
		return errors.New("cachemesh: Start was called before")
	}
	n.mu.Unlock()
	if err := n.start(); err != nil {
		n.Close()
		return err
	}
	return nil
}

func (n *Node) start() error {
	n.warnIfOpen()
	ctx, cancel := context.WithTimeout(n.closeCtx, n.opts.JoinTimeout)
	defer cancel()
	own, err := n.gossip(ctx)
	if err != nil {
		return err
	}
	if err := n.join(ctx, own); err != nil {
		return err
	}
	n.mu.Lock()
	closed := n.state == stateClosed
	if !closed {
		n.state = stateServing
		close(n.serving)
	}
	n.mu.Unlock()
	if closed {
		return ErrClosed
	}
	n.adopt(n.members.View()) // one may have come between the last and now
	n.awaitMesh()
	n.judge(func(c *quorum.Core, _ int64) { c.GiveUp() })
	n.started.Store(max(n.now(), 1))
	return nil
}

// currentView returns the node's view. While Start is under way it waits for
// its end. Errors: ErrNotStarted, ErrClosed, ctx's own.
func (n *Node) currentView(ctx context.Context) (*view, error) {
	if v := n.view.Load(); v != nil {
		return v, nil
	}
	n.mu.Lock()
	state := n.state
	n.mu.Unlock()
	if state == stateNew {
		return nil, ErrNotStarted
	}
	select {
	case <-n.closing:
		return nil, ErrClosed
	case <-n.serving:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if v := n.view.Load(); v != nil {
		return v, nil
	}
	return nil, ErrClosed
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
			n.handing.Add(-1)
			n.settler.poke()
		}()
	}
}

// tryAddGroup registers a group, or returns what must be stored in it first.
func (n *Node) tryAddGroup(c *groupCore) (*parkedGroup, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state == stateClosed {
		return nil, ErrClosed
	}
	if heir := n.parked.heirs[c.name]; n.groups.find(c.name) != nil || heir != nil && heir != c {
		return nil, &OptionError{"name", c.name, errors.New("the node has a group of this name")}
	}
	if parked := n.parked.takeLocked(c.name); parked != nil {
		n.parked.heirs[c.name] = c // it has the name, and Deletes wait for it
		n.handing.Add(1)           // until the mover sees what is not this node's any more
		return parked, nil
	}
	delete(n.parked.heirs, c.name)
	n.groups.addLocked(c)
	n.inheritLocked(c)
	return nil, nil
}

// group returns the group of a name that may alias a buffer, nil if there is none that
// is open.
func (n *Node) group(name string) *groupCore {
	if c := n.groups.find(name); c != nil && !c.isCut() {
		return c
	}
	return nil
}

// spawn runs f on a goroutine that Close waits for. It reports false if the node
// is closing.
func (n *Node) spawn(f func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state == stateClosed {
		return false
	}
	n.work.Go(f)
	return true
}

// hintedPeer returns a caller for an address that a peer named as an owner and
// that this node's view may not have yet, nil if too many were named. They are
// forgotten with the next view.
func (n *Node) hintedPeer(addr string) caller {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.hints[addr]; !known && len(n.hints) >= maxHints {
		return nil
	}
	n.hints[addr] = struct{}{}
	return n.peers.peer(addr)
}

// maxHints bounds the addresses that peers may name between two views.
const maxHints = 64

// bounded gives ctx the deadline CallTimeout if it has none.
func (n *Node) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, n.opts.CallTimeout)
}

// pause waits. It returns ctx's error, or ErrClosed, if it was cut short.
func (n *Node) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-n.closing:
		return ErrClosed
	}
}

// String identifies the node in logs and test failures.
func (n *Node) String() string { return fmt.Sprintf("%s (%s)", n.name, n.addr) }
