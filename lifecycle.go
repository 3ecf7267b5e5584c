package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/membership"
)

// peerPath is where peer connections are upgraded.
const peerPath = "/_cachemesh/"

// silence is how long a peer that owes an answer may say nothing, not even to a
// ping, before its connection is given up. It is in the order of the time that
// gossip takes to notice a crash.
const silence = 2 * time.Second

// buildPool makes both ends of the peer connections.
func (n *Node) buildPool() (err error) {
	n.pool, err = httppool.New(httppool.Config{
		Self:           n.id,
		Handler:        peerHandler{n},
		OnStream:       n.serveGossip,
		Dial:           n.opts.Network.Dial,
		TLS:            n.opts.TLS,
		Secret:         n.opts.Secret,
		Logger:         n.log,
		MaxKey:         MaxKeyLen,
		MaxValue:       n.opts.MaxValueBytes + batchBytes,
		SilenceTimeout: silence,
		DialTimeout:    silence,
	})
	if err != nil {
		return err
	}
	t := poolTransport{pool: n.pool}
	if s, ok := n.opts.Network.(seam.Network); ok { // a test's
		t.wrap, n.faults = s.WrapPeer, s.Faults()
	}
	n.peers = t
	if n.opts.ExternalServer {
		return nil
	}
	if n.opts.TLS != nil {
		n.sockets.stream = tlsListener(n.sockets.stream, n.opts.TLS)
	}
	mux := http.NewServeMux()
	mux.Handle(peerPath, n.pool)
	n.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	return nil
}

// gossip starts the membership. Its views are published once serving begins.
func (n *Node) gossip() error {
	ms, err := membership.New(membership.Config{
		Name:       n.name,
		Addr:       n.addr,
		Boot:       n.boot,
		Seeds:      n.opts.BootstrapNodes,
		Packets:    n.sockets.packets,
		DialStream: n.pool.DialStream,
		Secret:     n.opts.Secret,
		Logger:     n.log,
		OnView:     n.onView,

		// Whoever missed a piece of news learns it by the next exchange of state, and
		// until then nobody settles.
		PushPullInterval: 5 * time.Second,
	})
	if err != nil {
		return fmt.Errorf("cachemesh: %w", err)
	}
	n.mu.Lock()
	closed := n.state == stateClosed
	if !closed {
		n.members = ms
		n.work.Go(n.settler.run)
		n.work.Go(n.tend)
		if n.server != nil {
			n.work.Go(n.serveHTTP)
		}
	}
	n.mu.Unlock()
	if closed {
		ms.Close()
		return ErrClosed
	}
	return nil
}

func (n *Node) serveHTTP() {
	err := n.server.Serve(n.sockets.stream)
	if !errors.Is(err, http.ErrServerClosed) {
		n.log.Error("the peer port failed: peers cannot reach this member any more", "addr", n.addr, "err", err)
	}
}

// membership returns the node's membership, nil before Start.
func (n *Node) membership() *membership.Membership {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.members
}

// serveGossip takes a gossip stream that a peer opened.
func (n *Node) serveGossip(conn net.Conn, from string) {
	if ms := n.membership(); ms != nil {
		ms.ServeStream(conn)
		return
	}
	conn.Close()
}

// join reaches a bootstrap node, waiting for one to come up if none has: all
// instances of a service start at the same time. Then it begins to serve.
func (n *Node) join() error {
	ctx, cancel := context.WithTimeout(n.closeCtx, n.opts.JoinTimeout)
	defer cancel()
	ms := n.membership()
	wait := joinRetryFloor
	for len(n.opts.BootstrapNodes) > 0 {
		contacted, err := ms.Join(ctx)
		if errors.Is(err, membership.ErrNameTaken) { // whoever else answered
			return fmt.Errorf("%w: %w", ErrNameTaken, err)
		}
		if contacted > 0 || err == nil { // err is nil if the only bootstrap node is this one
			break
		}
		if pauseErr := n.pause(ctx, wait); n.isClosing() {
			return ErrClosed
		} else if pauseErr != nil {
			if n.opts.RequireJoin {
				return fmt.Errorf("%w in %v: %w", ErrJoin, n.opts.JoinTimeout, err)
			}
			n.log.Warn("no bootstrap node answered: serving alone, and going on trying", "bootstrap", n.opts.BootstrapNodes, "err", err)
			n.adopting.Lock()
			n.doubts.alone = true
			n.adopting.Unlock()
			break
		}
		wait = min(2*wait, joinRetryCeiling)
	}
	n.adopt(ms.View())
	return nil
}

const (
	joinRetryFloor   = 50 * time.Millisecond
	joinRetryCeiling = 500 * time.Millisecond
)

// onView receives every new view of the membership, in order.
func (n *Node) onView(mv *membership.View) {
	select {
	case <-n.serving:
		n.adopt(mv)
	default:
		// Before this node serves it must not act on a view that may lack those it
		// is about to join. Start adopts the newest one then.
	}
}
