package endpoint

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
)

// knocks is how often a member looks who answers at its address: a load balancer
// passes each connection to another.
const knocks = 3

// knockAtHome finds out whether another process answers at this node's address,
// own, as when all members were given that of a load balancer: bootstrap nodes at
// that address are taken for this node and not asked. The result comes within the
// time of a dial. An address at which this node itself listens needs no look.
func (e *Endpoint) knockAtHome(own netip.AddrPort) <-chan error {
	result := make(chan error, 1)
	look := func() {
		var err error
		for range knocks {
			if err = e.Pool.Knock(e.Life.Context(), e.Addr); err != nil {
				break
			}
		}
		if errors.Is(err, httppool.ErrAddrTaken) {
			e.Log.Error("another process answers at the address that this member advertises: give each its own (AdvertiseAddr)", "addr", e.Addr)
		}
		result <- err
	}
	if len(e.opts.BootstrapNodes) == 0 || e.isBound(own) || !e.Life.Go(look) {
		result <- nil
	}
	return result
}

// answeredAtHome returns an *OptionError if another process answered. Once this
// node has joined it waits no longer for that: the others would have refused it.
func (e *Endpoint) answeredAtHome(knocked <-chan error, joined bool) error {
	var err error
	if joined {
		select {
		case err = <-knocked:
		default:
		}
	} else {
		err = <-knocked
	}
	if errors.Is(err, httppool.ErrAddrTaken) {
		return fmt.Errorf("%w: %w", errs.ErrJoin, errs.Option("AdvertiseAddr", e.Addr, err))
	}
	return nil
}

// isBound reports whether this node itself listens at its address, own: the machine has
// the host, and the port is the one that it listens at.
func (e *Endpoint) isBound(own netip.AddrPort) bool {
	bound, err := netip.ParseAddrPort(e.sockets.packets.LocalAddr().String())
	return onThisMachine(own.Addr()) && (err != nil || bound.Port() == own.Port())
}
