// Package endpoint is a node's place among the others: the address that it binds, both ends of
// its connections to peers, who answers these, and its part in gossip. An [Endpoint] is bound
// first, so that the address is known, then built, and served when the node starts. It makes no
// groups and decides nothing: what comes in goes to internal/settle and internal/groups.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/settle"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
	"github.com/praveenduddu/cachemesh/membership"
)

// peerPath is where peer connections are upgraded.
const peerPath = "/_cachemesh/"

// An Endpoint is a node's address: what it has bound, and both ends of its connections to
// peers. It is a settle.Peers.
type Endpoint struct {
	Self
	opts   Options
	Life   *life.Life
	Log    *slog.Logger
	Faults faultinject.Faults // of this module's own tests; none otherwise

	sockets sockets
	Pool    *httppool.Pool // nil if it could not be made
	server  *http.Server   // nil with Options.ExternalServer
	Ways    *reach.Ways    // to other members
	Handler *Handler       // answers peers
}

// Bind binds the port of a node, whose life and log are set next. Errors:
// *errs.OptionError.
func Bind(o Options) (*Endpoint, error) {
	sockets, err := bind(&o)
	if err != nil {
		return nil, err
	}
	self, err := identify(&o, sockets)
	if err != nil {
		sockets.close()
		return nil, err
	}
	return &Endpoint{Self: self, opts: o, sockets: sockets}, nil
}

// Build makes both ends of the peer connections. Nothing is served yet.
func (e *Endpoint) Build(onStream func(net.Conn, string), state *view.State, clock *clock.Clock) (err error) {
	e.Handler = &Handler{id: e.ID, state: state}
	e.Pool, err = httppool.New(httppool.Config{
		Self:           e.ID,
		Handler:        e.Handler,
		OnStream:       onStream,
		Addr:           e.Addr,
		Mesh:           e.opts.Mesh,
		Dial:           e.opts.Network.Dial,
		TLS:            e.opts.TLS,
		Secret:         e.opts.Secret,
		AcceptSecrets:  e.opts.AcceptSecrets,
		Logger:         e.Log,
		MaxKey:         wire.MaxKeyLen,
		MaxValue:       e.opts.MaxValueBytes + wire.BatchBytes,
		SilenceTimeout: reach.Silence,
		Patience:       e.opts.Patience,
		DialTimeout:    reach.Silence,
	})
	if err != nil {
		return err
	}
	t := transport{pool: e.Pool}
	if s, ok := e.opts.Network.(seam.Network); ok { // a test's
		t.wrap, e.Faults = s.WrapPeer, s.Faults()
	}
	if s, ok := e.opts.Network.(seam.Clocked); ok {
		s.SetClock(&clock.Clock)
	}
	e.Ways = &reach.Ways{
		ID: e.ID, Addr: e.Addr, Patience: e.opts.Patience, CallTimeout: e.opts.CallTimeout,
		Inject: e.opts.InjectContext, Extract: e.opts.ExtractContext,
		Peers: t, State: state, Clock: clock, Log: e.Log,
	}
	if !e.opts.ExternalServer {
		e.buildServer()
	}
	return nil
}

func (e *Endpoint) buildServer() {
	e.sockets.stream = e.Pool.Listener(e.sockets.stream, e.opts.TLS)
	mux := http.NewServeMux()
	mux.Handle(peerPath, e.Pool)
	e.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(e.Log.Handler(), slog.LevelDebug),
	}
}

// Answer says who answers the peers; it is called before start.
func (e *Endpoint) Answer(settler *settle.Settler, groups *groups.Registry) {
	e.Handler.ways, e.Handler.settler, e.Handler.groups = e.Ways, settler, groups
}

// Serve serves until the node closes, if this endpoint has a server of its own.
func (e *Endpoint) Serve() {
	if e.server == nil {
		return
	}
	err := e.server.Serve(e.sockets.stream)
	if !errors.Is(err, http.ErrServerClosed) {
		e.Log.Error("the peer port failed: peers cannot reach this member any more", "addr", e.Addr, "err", err)
	}
}

// WarnIfOpen says in the log that anyone who reaches the port is a peer, where
// more than this machine does.
func (e *Endpoint) WarnIfOpen() {
	if e.opts.Secret != nil || isLoopback(e.Addr) && isLoopback(e.sockets.packets.LocalAddr().String()) {
		return
	}
	e.Log.Warn("neither Secret nor TLS is set: whoever reaches this address can read and write the cache", "addr", e.Addr)
}

// drainCallsTime bounds how long a node that leaves waits for peers to take their
// answers and hang up. One that does not is lost, or will ask its new owner.
const drainCallsTime = time.Second

// DrainCalls lets every call of a peer that is under way be answered: cut off in
// the middle of a write, its caller could not know whether it was applied.
func (e *Endpoint) DrainCalls(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainCallsTime)
	defer cancel()
	if err := e.Pool.Drain(ctx); err != nil {
		e.Log.Debug("not every peer hung up before this member left", "err", err)
	}
}

// Close hangs up. The sockets stay bound.
func (e *Endpoint) Close() {
	if e.server != nil {
		e.server.Close()
	}
	if e.Pool != nil {
		e.Pool.Close()
	}
}

// Unbind closes the sockets.
func (e *Endpoint) Unbind() { e.sockets.close() }

// Peer returns what calls an address, without calling it.
func (e *Endpoint) Peer(addr string) wire.Peer { return e.Ways.Peers.Peer(addr) }

// CallMember calls a member, through others if need be.
func (e *Endpoint) CallMember(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response) error {
	return e.Ways.CallMember(ctx, o, req, resp)
}

// Renew forgets what was noted of an address at which the process id is now.
func (e *Endpoint) Renew(addr, id string) { e.Pool.Renew(addr, id) }

// Forget forgets the addresses that are gone, and those that peers named.
func (e *Endpoint) Forget(departed []string, members []quorum.Member) {
	e.Ways.ForgetGone(departed, members)
}

// dialGossip opens a gossip stream to an address that the membership looked up,
// and tells it refusals from absences.
func (e *Endpoint) dialGossip(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := e.Pool.DialStreamAs(ctx, addr, membership.Host(ctx))
	switch {
	case errors.Is(err, httppool.ErrAddrTaken):
		err = fmt.Errorf("%w: %w: %w", membership.ErrRefused, membership.ErrAddrTaken, err)
	case errors.Is(err, httppool.ErrMismatch):
		err = fmt.Errorf("%w: %w", membership.ErrRefused, err)
	case errors.Is(err, httppool.ErrDraining):
		err = fmt.Errorf("%w: %w", membership.ErrLeaving, err)
	}
	return conn, err
}

// transport is the ways to addresses.
type transport struct {
	pool *httppool.Pool
	wrap func(addr string, next seam.Caller) seam.Caller // nil: none
}

func (t transport) Peer(addr string) wire.Peer {
	if t.wrap != nil {
		return t.wrap(addr, t.pool.Peer(addr))
	}
	return t.pool.Peer(addr)
}

func (t transport) Forget(addr string) { t.pool.Forget(addr) }

func (t transport) Ping(ctx context.Context, addr string) error {
	return t.pool.Peer(addr).Ping(ctx)
}
