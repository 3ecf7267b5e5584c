package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh/internal/codec"
	"github.com/praveenduddu/cachemesh/internal/endpoint"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/logqueue"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/settle"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// New validates the options and binds the node's port, so that its address is
// known; it does not serve yet. Its errors are *OptionError.
func New(o Options) (*Node, error) {
	o, err := o.validate()
	if err != nil {
		return nil, err
	}
	end, err := endpoint.Bind(o.endpoint())
	if err != nil {
		return nil, err
	}
	n := &Node{opts: o, end: end, logs: logqueue.New(o.Logger.Handler()), life: life.New()}
	n.clock.Start()
	n.log = n.logs.Logger().With("member", end.Name)
	end.Life, end.Log = n.life, n.log
	n.gossip = &endpoint.Gossip{Endpoint: end}
	if err := n.build(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// build makes the parts that need no network traffic.
func (n *Node) build() (err error) {
	if err := n.gossip.Check(); err != nil {
		return err
	}
	state, writes := view.NewState(n.life, &n.clock, n.opts.MaxStale)
	n.state = state
	if err := n.end.Build(n.gossip.ServeStream, state, &n.clock); err != nil {
		return err
	}
	n.groups = groups.New(groups.Options{
		Setting: owner.Setting{
			Run: uint32(n.end.Boot), Life: n.life, Log: n.log, Faults: &n.end.Faults, Member: n.end.Name, Addr: n.end.Addr,
			Lease: n.opts.Lease, Right: n.opts.Right, AnswerLimit: n.opts.MaxValueBytes + wire.BatchBytes, ErrorSize: codec.ErrorSize,
		},
		Clock: &n.clock, State: state, Ways: n.end.Ways, TotalBytes: n.opts.TotalBytes, Unknown: n.opts.UnknownGroup,
	})
	n.settler = n.newSettler(writes)
	n.groups.SettledBy(n.settler)
	n.gossip.Settler = n.settler
	n.end.Answer(n.settler, n.groups)
	n.defaultKV, err = newGroup[[]byte](n, "", nil, GroupOptions[[]byte]{MaxBytes: n.opts.MaxBytes, LoadTimeout: n.opts.CallTimeout})
	return err
}

// newSettler returns what settles the node's views.
func (n *Node) newSettler(writes view.Writer) *settle.Settler {
	return settle.New(settle.Options{
		Self:  quorum.Member{ID: n.end.ID, Name: n.end.Name, Addr: n.end.Addr, Life: 1},
		Right: n.opts.Right, Lease: n.opts.Lease, MaxStale: n.opts.MaxStale,
		JoinTimeout: n.opts.JoinTimeout, ForgetAfter: n.opts.ForgetAfter,
		Alone: len(n.opts.BootstrapNodes) == 0, MayFound: n.opts.MayFound,
		Dial: n.opts.Network.Dial, Life: n.life, Clock: &n.clock, State: n.state, Write: writes, Log: n.log,
	}, n.groups.Holdings(), n.end)
}

// Start serves and joins the mesh. It returns once this node is a member and
// ready for every operation, or, if no bootstrap node answered in JoinTimeout,
// once it serves alone. Errors: ErrJoin if those that answered refused this node,
// and with RequireJoin; ErrNameTaken; an *OptionError if its address is not known
// in JoinTimeout, or is not its own; ErrClosed; an error if it was called before.
// After an error the node is closed. Register groups before: see NewGroup.
func (n *Node) Start() error { return n.StartContext(context.Background()) }

// StartContext is Start, but gives up when ctx ends before it returns: then it closes the node, and
// nothing of it is left; the error wraps ctx's, and says whom it tried to join. JoinTimeout bounds it as
// before. ctx is not used after it has returned: see Shutdown.
func (n *Node) StartContext(ctx context.Context) error {
	if err := n.life.Start(); err != nil {
		return err
	}
	var gaveUp error
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		gaveUp = fmt.Errorf("cachemesh: Start was given up, bootstrap nodes %q: %w", n.opts.BootstrapNodes, context.Cause(ctx))
		n.Close()
	})
	err := n.start()
	if !stop() {
		<-stopped
		return gaveUp
	}
	if err != nil {
		n.Close()
	}
	return err
}

func (n *Node) start() error {
	n.end.WarnIfOpen()
	ctx, cancel := context.WithTimeout(n.life.Context(), n.opts.JoinTimeout)
	defer cancel()
	own, err := n.gossip.Start(ctx, func() {
		n.life.Go(n.settler.Run)
		n.life.Go(n.tend)
		n.life.Go(n.end.Serve)
	})
	if err != nil {
		return err
	}
	if err := n.gossip.Join(ctx, own); err != nil {
		return err
	}
	if !n.life.Serve() {
		return errs.ErrClosed
	}
	n.settler.Adopt(n.gossip.Membership().View()) // one may have come between the last and now
	n.settler.AwaitMesh()
	n.settler.GiveUp()
	n.groups.Started()
	return nil
}

const (
	tendEvery = 200 * time.Millisecond

	// leap is how far the wall clock may run ahead of the monotonic one between
	// two looks before the machine is taken to have been suspended.
	leap = 250 * time.Millisecond
)

// tend runs the node's chores until it closes: it drops registrations and copies that
// lapsed, and notices that the machine was suspended.
func (n *Node) tend() {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	lastWall, last := n.clock.Wall(), n.clock.Now()
	swept := last
	for {
		select {
		case <-n.life.Closing():
			return
		case <-tick.C:
		}
		wall, now := n.clock.Wall(), n.clock.Now()
		if wall.Sub(lastWall)-time.Duration(now-last) > leap {
			n.awake()
		}
		lastWall, last = wall, now
		if now-swept >= int64(n.opts.Lease) {
			n.groups.Sweep(now)
			swept = now
		}
	}
}

// awake is called when the wall clock leapt ahead of the monotonic one: most
// likely the machine was suspended, and sessions lapsed that this member's clock
// did not see lapse. It serves nothing that it holds until the others have
// confirmed it. A clock that was merely set costs a few fetches.
func (n *Node) awake() {
	n.log.Warn("the wall clock leapt ahead: this machine may have been suspended, so what is held is confirmed first")
	n.groups.DropCopies()
	n.settler.Wake()
}

// Shutdown takes the node out of the mesh in order: it announces that it is
// leaving, so that its peers take over its keys before it goes, finishes what
// is under way, leaves, and closes. If ctx ends first it closes at once and
// returns ctx's error, after a second at most in which it hears whether values that
// it has sent were taken. If values that no loader could bring back could not be handed
// over, the error is a *LostError; but the last member of a mesh ends it, values and
// all, without an error. However many there are, it waits as long as others take them.
// It is safe to call more than once and after Close.
func (n *Node) Shutdown(ctx context.Context) error {
	var err error
	lost := n.groups.Mover.Lost()
	if ms := n.gossip.Membership(); ms != nil && n.state.View() != nil {
		if err = ms.AnnounceLeaving(ctx); err == nil {
			err = n.groups.Drain(ctx)
		}
		if err == nil {
			n.settler.AwaitVoted(ctx)
		}
		if err == nil {
			n.end.DrainCalls(ctx)
			err = ms.Leave(ctx)
		}
	}
	if err != nil {
		n.groups.Mover.Halt()
	}
	closed := n.close(err != nil)
	if lost = n.groups.Mover.Lost() - lost; lost > 0 {
		err = &errs.LostError{Values: int(lost), Err: err}
	}
	return errors.Join(err, closed)
}

// Close stops the node at once, as a crash would for its peers, and returns
// when nothing of it runs any more. Calls under way fail with ErrClosed. A
// loader that ignores its context is not waited for, and a log handler no longer
// than a second. It is safe to call more than once.
func (n *Node) Close() error { return n.close(false) }

// close is Close. If inDisorder, or if values are on their way to new owners, it counts
// what the node holds yet and nobody could load again.
func (n *Node) close(inDisorder bool) error {
	if !n.life.Close() {
		<-n.life.Ended()
		return nil
	}
	if ms := n.gossip.Membership(); ms != nil {
		ms.Close()
	}
	n.end.Close()
	if n.settler != nil {
		n.settler.Close()
	}
	if n.groups != nil {
		if n.groups.Mover.CutOff() || inDisorder {
			n.groups.Mover.LoseHeld()
		}
		n.groups.Close()
	}
	n.end.Unbind()
	n.life.Wait()
	n.logs.Close(logPatience)
	n.life.End()
	return nil
}

// logPatience bounds how long Close waits for the user's log handler to take what was
// logged. One that takes longer is left behind.
const logPatience = time.Second
