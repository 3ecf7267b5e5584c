package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/membership"
)

const (
	joinRetryFloor   = 50 * time.Millisecond
	joinRetryCeiling = 500 * time.Millisecond
)

// gossipConfig describes this node to the membership.
func (n *Node) gossipConfig() membership.Config {
	resolver, _ := n.opts.Network.(membership.Resolver)
	return membership.Config{
		Name:          n.name,
		Addr:          n.addr,
		Boot:          n.boot,
		Mesh:          n.opts.Mesh,
		Seeds:         n.opts.BootstrapNodes,
		Packets:       n.sockets.packets,
		DialStream:    n.dialGossip,
		Resolver:      resolver,
		Secret:        n.opts.Secret,
		AcceptSecrets: n.opts.AcceptSecrets,
		Logger:        n.log,
		OnView:        n.onView,

		// Whoever missed a piece of news learns it by the next exchange of state, and
		// until then nobody settles.
		PushPullInterval: 5 * time.Second,

		// How long a mesh that was cut in two takes to find out that it is whole.
		RejoinInterval: 4 * time.Second,
	}
}

// checkGossip refuses what the membership would refuse when the node starts.
func (n *Node) checkGossip() error {
	err := n.gossipConfig().Validate()
	ce, ok := errors.AsType[*membership.ConfigError](err)
	if !ok {
		return err
	}
	e := &errs.OptionError{Option: ce.Field, Err: errors.New(ce.Reason)}
	switch ce.Field {
	case "Name":
		if e.Value = n.name; n.opts.Name == "" { // the address is the name
			e.Option = "AdvertiseAddr"
		}
	case "Mesh":
		e.Value = n.opts.Mesh
	case "Addr":
		e.Option, e.Value = "AdvertiseAddr", n.addr
	case "Seeds":
		e.Option, e.Value = "BootstrapNodes", n.opts.BootstrapNodes
	}
	return e
}

// gossip starts the membership and returns its address. Its views are published
// once serving begins.
func (n *Node) gossip(ctx context.Context) (own netip.AddrPort, err error) {
	cfg := n.gossipConfig()
	if cfg.Gossip, err = n.resolveSelf(ctx, cfg.Resolver); err != nil {
		return own, err
	}
	ms, err := membership.New(cfg)
	if err != nil {
		return own, fmt.Errorf("cachemesh: %w", err)
	}
	n.mu.Lock()
	closed := n.life.IsClosing()
	if !closed {
		n.members = ms
		n.settler.Gossip(ms)
		n.life.Go(n.settler.Run)
		n.life.Go(n.tend)
		if n.server != nil {
			n.life.Go(n.serveHTTP)
		}
	}
	n.mu.Unlock()
	if closed {
		ms.Close()
		return own, errs.ErrClosed
	}
	return cfg.Gossip, nil
}

// resolveSelf looks this node's own address up. Its DNS name may be published
// only after it started, so it is tried until ctx is done.
func (n *Node) resolveSelf(ctx context.Context, r membership.Resolver) (netip.AddrPort, error) {
	option := "AdvertiseAddr"
	if n.opts.AdvertiseAddr == "" {
		option = "ListenAddr"
	}
	for wait := joinRetryFloor; ; wait = min(2*wait, joinRetryCeiling) {
		addr, err := membership.GossipAddr(n.life.Context(), r, n.addr)
		switch {
		case n.life.IsClosing():
			return addr, errs.ErrClosed
		case err == nil:
			return addr, nil
		case !errors.Is(err, membership.ErrUnresolved):
			return addr, errs.Option(option, n.addr, err)
		case ctx.Err() != nil:
			return addr, errs.Option(option, n.addr, fmt.Errorf("not known within JoinTimeout, %v: %w", n.opts.JoinTimeout, err))
		}
		_ = n.life.Pause(ctx, wait) // the look at ctx follows one more look-up
	}
}

// dialGossip opens a gossip stream to an address that the membership looked up,
// and tells it refusals from absences.
func (n *Node) dialGossip(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := n.pool.DialStreamAs(ctx, addr, membership.Host(ctx))
	switch {
	case errors.Is(err, httppool.ErrAddrTaken):
		err = fmt.Errorf("%w: %w: %w", membership.ErrRefused, membership.ErrAddrTaken, err)
	case errors.Is(err, httppool.ErrMismatch):
		err = fmt.Errorf("%w: %w", membership.ErrRefused, err)
	}
	return conn, err
}

var errOnlySelf = errors.New("they are all this member itself")

// join reaches a bootstrap node, waiting for one to come up if none has: all
// instances of a service start at the same time. Then it begins to serve. own is
// this node's address.
func (n *Node) join(ctx context.Context, own netip.AddrPort) error {
	ms := n.membership()
	knocked := n.knockAtHome(own)
	var refused error
	joined := false
	for wait := joinRetryFloor; len(n.opts.BootstrapNodes) > 0; wait = min(2*wait, joinRetryCeiling) {
		contacted, err := ms.Join(ctx)
		if err == nil && contacted == 0 && n.opts.RequireJoin {
			err = errOnlySelf
		}
		if fatal := n.cannotJoin(err); fatal != nil {
			return fatal
		}
		taken := errors.Is(err, membership.ErrAddrTaken) // whoever else answered
		if joined = contacted > 0 && !taken; joined || err == nil {
			break
		}
		if taken || refused == nil && errors.Is(err, membership.ErrRefused) {
			refused = err
		}
		n.settler.NoteSilent() // who refuses, does so from now on
		if pauseErr := n.life.Pause(ctx, wait); n.life.IsClosing() {
			return errs.ErrClosed
		} else if pauseErr != nil {
			if err := n.joinFailed(refused, err); err != nil {
				return err
			}
			break
		}
	}
	if err := n.answeredAtHome(knocked, joined); err != nil {
		return err
	}
	n.settler.Adopt(ms.View())
	return nil
}

// cannotJoin returns an error of Join as one of Start, if trying again is no use.
func (n *Node) cannotJoin(err error) error {
	if errors.Is(err, membership.ErrNameTaken) { // whoever else answered
		return fmt.Errorf("%w: %w", errs.ErrNameTaken, err)
	}
	if loopback, ok := errors.AsType[*membership.LoopbackError](err); ok {
		return errs.Option("AdvertiseAddr", n.addr, loopback)
	}
	return nil
}

// joinFailed decides, at the end of JoinTimeout, whether this node serves alone:
// not if somebody is there and refused it.
func (n *Node) joinFailed(refused, last error) error {
	switch {
	case errors.Is(refused, membership.ErrAddrTaken):
		return fmt.Errorf("%w: %w", errs.ErrJoin, errs.Option("AdvertiseAddr", n.addr, refused))
	case refused != nil:
		return fmt.Errorf("%w: bootstrap nodes that answered refused this member: %w", errs.ErrJoin, refused)
	case n.opts.RequireJoin:
		return fmt.Errorf("%w: no bootstrap node answered in %v: %w", errs.ErrJoin, n.opts.JoinTimeout, last)
	}
	n.log.Warn("no bootstrap node answered: serving alone, and going on trying", "bootstrap", n.opts.BootstrapNodes, "err", last)
	return nil
}
