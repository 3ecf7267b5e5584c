package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/settle"
	"github.com/praveenduddu/cachemesh/membership"
)

const (
	joinRetryFloor   = 50 * time.Millisecond
	joinRetryCeiling = 500 * time.Millisecond
)

// A Gossip is a node's part in the membership, and how it joins the mesh.
type Gossip struct {
	*Endpoint
	Settler *settle.Settler // set before it starts

	mu      sync.Mutex             // guards the field below
	members *membership.Membership // nil before Start
}

// config describes this node to the membership.
func (g *Gossip) config() membership.Config {
	resolver, _ := g.opts.Network.(membership.Resolver)
	return membership.Config{
		Name:          g.Name,
		Addr:          g.Addr,
		Boot:          g.Boot,
		Mesh:          g.opts.Mesh,
		Seeds:         g.opts.BootstrapNodes,
		Packets:       g.sockets.packets,
		DialStream:    g.dialGossip,
		Resolver:      resolver,
		Secret:        g.opts.Secret,
		AcceptSecrets: g.opts.AcceptSecrets,
		Logger:        g.Log,
		OnView:        g.onView,

		// Whoever missed a piece of news learns it by the next exchange of state, and
		// until then nobody settles.
		PushPullInterval: 5 * time.Second,

		// How long a mesh that was cut in two takes to find out that it is whole.
		RejoinInterval: 4 * time.Second,
	}
}

// Check refuses what the membership would refuse when the node starts.
func (g *Gossip) Check() error {
	err := g.config().Validate()
	ce, ok := errors.AsType[*membership.ConfigError](err)
	if !ok {
		return err
	}
	e := &errs.OptionError{Option: ce.Field, Err: errors.New(ce.Reason)}
	switch ce.Field {
	case "Name":
		if e.Value = g.Name; g.opts.Name == "" { // the address is the name
			e.Option = "AdvertiseAddr"
		}
	case "Mesh":
		e.Value = g.opts.Mesh
	case "Addr":
		e.Option, e.Value = "AdvertiseAddr", g.Addr
	case "Seeds":
		e.Option, e.Value = "BootstrapNodes", g.opts.BootstrapNodes
	}
	return e
}

// Start starts the membership, and run with it unless the node closes, and returns its
// address. Its views are published once serving begins.
func (g *Gossip) Start(ctx context.Context, run func()) (own netip.AddrPort, err error) {
	cfg := g.config()
	if cfg.Gossip, err = g.resolveSelf(ctx, cfg.Resolver); err != nil {
		return own, err
	}
	ms, err := membership.New(cfg)
	if err != nil {
		return own, fmt.Errorf("cachemesh: %w", err)
	}
	g.mu.Lock()
	closed := g.Life.IsClosing()
	if !closed {
		g.members = ms
		g.Settler.Gossip(ms)
		run()
	}
	g.mu.Unlock()
	if closed {
		ms.Close()
		return own, errs.ErrClosed
	}
	return cfg.Gossip, nil
}

// resolveSelf looks this node's own address up. Its DNS name may be published
// only after it started, so it is tried until ctx is done.
func (g *Gossip) resolveSelf(ctx context.Context, r membership.Resolver) (netip.AddrPort, error) {
	option := "AdvertiseAddr"
	if g.opts.AdvertiseAddr == "" {
		option = "ListenAddr"
	}
	for wait := joinRetryFloor; ; wait = min(2*wait, joinRetryCeiling) {
		addr, err := membership.GossipAddr(g.Life.Context(), r, g.Addr)
		switch {
		case g.Life.IsClosing():
			return addr, errs.ErrClosed
		case err == nil:
			return addr, nil
		case !errors.Is(err, membership.ErrUnresolved):
			return addr, errs.Option(option, g.Addr, err)
		case ctx.Err() != nil:
			return addr, errs.Option(option, g.Addr, fmt.Errorf("not known within JoinTimeout, %v: %w", g.opts.JoinTimeout, err))
		}
		_ = g.Life.Pause(ctx, wait) // the look at ctx follows one more look-up
	}
}

var errOnlySelf = errors.New("they are all this member itself")

// Join reaches a bootstrap node, waiting for one to come up if none has: all
// instances of a service start at the same time. Then it begins to serve. own is
// this node's address.
func (g *Gossip) Join(ctx context.Context, own netip.AddrPort) error {
	ms := g.Membership()
	knocked := g.knockAtHome(own)
	var refused error
	joined := false
	for wait := joinRetryFloor; len(g.opts.BootstrapNodes) > 0; wait = min(2*wait, joinRetryCeiling) {
		contacted, err := ms.Join(ctx)
		if err == nil && contacted == 0 && g.opts.RequireJoin {
			err = errOnlySelf
		}
		if fatal := g.cannotJoin(err); fatal != nil {
			return fatal
		}
		taken := errors.Is(err, membership.ErrAddrTaken) // whoever else answered
		if joined = contacted > 0 && !taken; joined || err == nil {
			break
		}
		if taken || refused == nil && errors.Is(err, membership.ErrRefused) {
			refused = err
		}
		g.Settler.NoteSilent() // who refuses, does so from now on
		if pauseErr := g.Life.Pause(ctx, wait); g.Life.IsClosing() {
			return errs.ErrClosed
		} else if pauseErr != nil {
			if err := g.joinFailed(refused, err); err != nil {
				return err
			}
			break
		}
	}
	if err := g.answeredAtHome(knocked, joined); err != nil {
		return err
	}
	g.Settler.Adopt(ms.View())
	return nil
}

// cannotJoin returns an error of Join as one of Start, if trying again is no use.
func (g *Gossip) cannotJoin(err error) error {
	if errors.Is(err, membership.ErrNameTaken) { // whoever else answered
		return fmt.Errorf("%w: %w", errs.ErrNameTaken, err)
	}
	if loopback, ok := errors.AsType[*membership.LoopbackError](err); ok {
		return errs.Option("AdvertiseAddr", g.Addr, loopback)
	}
	return nil
}

// joinFailed decides, at the end of JoinTimeout, whether this node serves alone:
// not if somebody is there and refused it.
func (g *Gossip) joinFailed(refused, last error) error {
	switch {
	case errors.Is(refused, membership.ErrAddrTaken):
		return fmt.Errorf("%w: %w", errs.ErrJoin, errs.Option("AdvertiseAddr", g.Addr, refused))
	case refused != nil:
		return fmt.Errorf("%w: bootstrap nodes of %q that answered refused this member: %w", errs.ErrJoin, g.opts.BootstrapNodes, refused)
	case g.opts.RequireJoin:
		return fmt.Errorf("%w: no bootstrap node of %q answered in %v: %w", errs.ErrJoin, g.opts.BootstrapNodes, g.opts.JoinTimeout, last)
	}
	g.Log.Warn("no bootstrap node answered: serving alone, and going on trying", "bootstrap", g.opts.BootstrapNodes, "err", last)
	return nil
}

// Membership returns the node's membership, nil before Start.
func (g *Gossip) Membership() *membership.Membership {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.members
}

// ServeStream takes a gossip stream that a peer opened.
func (g *Gossip) ServeStream(conn net.Conn, from string) {
	if ms := g.Membership(); ms != nil {
		ms.ServeStream(conn)
		return
	}
	conn.Close()
}

// onView receives every new view of the membership, in order.
func (g *Gossip) onView(mv *membership.View) {
	select {
	case <-g.Life.Serving():
		g.Settler.Adopt(mv)
	default:
		// Before this node serves it must not act on a view that may lack those it
		// is about to join. Start adopts the newest one then.
	}
}
