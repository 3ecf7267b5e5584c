package cachemesh

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
	"github.com/praveenduddu/cachemesh/membership"
)

// peerPath is where peer connections are upgraded.
const peerPath = "/_cachemesh/"

// buildPool makes both ends of the peer connections.
func (n *Node) buildPool() (err error) {
	n.pool, err = httppool.New(httppool.Config{
		Self:           n.id,
		Handler:        peerHandler{n},
		OnStream:       n.serveGossip,
		Addr:           n.addr,
		Mesh:           n.opts.Mesh,
		Dial:           n.opts.Network.Dial,
		TLS:            n.opts.TLS,
		Secret:         n.opts.Secret,
		AcceptSecrets:  n.opts.AcceptSecrets,
		Logger:         n.log,
		MaxKey:         wire.MaxKeyLen,
		MaxValue:       n.opts.MaxValueBytes + wire.BatchBytes,
		SilenceTimeout: reach.Silence,
		Patience:       n.opts.Patience,
		DialTimeout:    reach.Silence,
	})
	if err != nil {
		return err
	}
	t := poolTransport{pool: n.pool}
	if s, ok := n.opts.Network.(seam.Network); ok { // a test's
		t.wrap, n.faults = s.WrapPeer, s.Faults()
	}
	if s, ok := n.opts.Network.(seam.Clocked); ok {
		s.SetClock(&n.clock.Clock)
	}
	n.ways = &reach.Ways{
		ID: n.id, Addr: n.addr, Patience: n.opts.Patience, CallTimeout: n.opts.CallTimeout,
		Inject: n.opts.InjectContext, Extract: n.opts.ExtractContext,
		Peers: t, State: n.state, Clock: &n.clock, Log: n.log,
	}
	if n.opts.ExternalServer {
		return nil
	}
	n.sockets.stream = n.pool.Listener(n.sockets.stream, n.opts.TLS)
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

// onView receives every new view of the membership, in order.
func (n *Node) onView(mv *membership.View) {
	select {
	case <-n.life.Serving():
		n.settler.Adopt(mv)
	default:
		// Before this node serves it must not act on a view that may lack those it
		// is about to join. Start adopts the newest one then.
	}
}

const (
	tendEvery = 200 * time.Millisecond

	// leap is how far the wall clock may run ahead of the monotonic one between
	// two looks before the machine is taken to have been suspended.
	leap = 250 * time.Millisecond
)

// tend runs the node's chores until it closes: it drops leases and copies that
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
			n.sweep(now)
			n.sweepParked(now)
			swept = now
		}
	}
}

func (n *Node) sweep(now int64) {
	for _, c := range n.groups.all() {
		c.SweepBooks(now)
		c.Hot.Sweep(now)
	}
}

// awake is called when the wall clock leapt ahead of the monotonic one: most
// likely the machine was suspended, and leases lapsed that this member's clock
// did not see lapse. It serves nothing that it holds until the others have
// confirmed it. A clock that was merely set costs a few fetches.
func (n *Node) awake() {
	n.log.Warn("the wall clock leapt ahead: this machine may have been suspended, so what is held is confirmed first")
	for _, c := range n.groups.all() {
		c.Hot.InvalidateAll()
	}
	n.settler.Wake()
}
