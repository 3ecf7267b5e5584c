// Package redis answers Redis clients from a group of the mesh: RESP2 and RESP3, over TCP,
// TLS and Unix sockets. It has the commands of strings and keys, for a cache is no database.
//
// Each connection has a goroutine, which carries out its commands in their order. GETs that
// arrive together are gathered into one call; whatever else comes between them ends the
// gathering, so a connection always reads what it wrote.
package redis

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/claims"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/guesses"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/resp"
)

const (
	maxArgs       = 1 << 20 // arguments of a command
	strangersArgs = 10      // of a client that has not said the password
	strangersBulk = 16 << 10
	strangersTime = 10 * time.Second // to say the password, or to end the TLS handshake
	warnEvery     = time.Second      // of what they do wrong
)

// Options configure a Server.
type Options struct {
	Node     *cachemesh.Node
	Group    *cachemesh.Group[[]byte]                            // of keys
	Prefixed map[string]*cachemesh.Group[[]byte]                 // of keys that begin with a name and a colon; at most 255
	Use      func(name string) (*cachemesh.Group[[]byte], error) // of the name, for commands that give one
	Names    func() []string                                     // of all groups; nil: none are told
	Claims   *claims.Table

	Password     string // "": none
	MaxClients   int
	MaxValue     int           // bytes of an argument
	MaxBuffered  int64         // bytes of buffers of all clients, beyond 2 KiB each
	IdleTimeout  time.Duration // 0: none
	WriteTimeout time.Duration // 0: none
	Version      string        // of this program
	Log          *slog.Logger
}

// A Server serves Redis clients. Its methods are called concurrently.
type Server struct {
	o      Options
	limits resp.Limits
	budget *resp.Budget
	began  time.Time
	keyspace
	tracks  tracker
	guesses guesses.Limiter // of the password

	ctx    context.Context // ends when commands are to be called off
	cancel context.CancelFunc
	leave  context.CancelFunc // ends staying
	conns  sync.WaitGroup
	looks  sync.WaitGroup // what renews leases
	once   sync.Once      // it is begun

	staying context.Context // ends when Shutdown begins, for what waits for others

	mu        sync.Mutex // guards what follows
	closing   bool
	open      map[*conn]struct{}
	listeners map[net.Listener]struct{}

	ids      atomic.Int64
	stopping atomic.Bool
	accepted atomic.Int64
	refused  atomic.Int64
	commands atomic.Int64
	idle     atomic.Int64 // IdleTimeout, which CONFIG SET changes
	most     atomic.Int64 // MaxClients, which CONFIG SET changes
	warned   atomic.Int64 // when since began a stranger's mistake was logged last
}

// NewServer returns a server that serves nobody yet.
func NewServer(o Options) *Server {
	s := &Server{
		o:         o,
		limits:    resp.Limits{Args: maxArgs, Bulk: o.MaxValue, Total: 4*o.MaxValue + 1<<20},
		budget:    resp.NewBudget(o.MaxBuffered),
		began:     time.Now(),
		keyspace:  keyspaceOf(o.Group, o.Prefixed),
		open:      make(map[*conn]struct{}),
		listeners: make(map[net.Listener]struct{}),
	}
	s.idle.Store(int64(o.IdleTimeout))
	s.most.Store(int64(o.MaxClients))
	s.warned.Store(-int64(warnEvery))
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.staying, s.leave = context.WithCancel(s.ctx)
	return s
}

// Serve serves the connections of a listener until that fails, or Shutdown, which is no
// error. It closes the listener.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.listeners[l] = struct{}{}
	s.mu.Unlock()
	for wait := time.Duration(0); ; {
		nc, err := l.Accept()
		if err == nil {
			wait = 0
			s.begin(nc)
			continue
		}
		if s.stopping.Load() {
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		// As when there are no file descriptors left: others close theirs.
		wait = min(max(2*wait, 5*time.Millisecond), time.Second)
		s.o.Log.Warn("cannot accept a Redis client", "err", err)
		select {
		case <-time.After(wait):
		case <-s.ctx.Done():
			return nil
		}
	}
}

// mayWarn reports whether what strangers can do as often as they like may be logged now.
func (s *Server) mayWarn() bool {
	now, last := int64(time.Since(s.began)), s.warned.Load()
	return now-last >= int64(warnEvery) && s.warned.CompareAndSwap(last, now)
}

// begin serves a connection, if there may be another.
func (s *Server) begin(nc net.Conn) {
	s.mu.Lock()
	full := int64(len(s.open)) >= s.most.Load()
	if full || s.closing {
		s.mu.Unlock()
		s.refused.Add(1)
		if full {
			nc.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
			if _, secure := nc.(interface{ Handshake() error }); !secure {
				nc.Write([]byte("-ERR max number of clients reached\r\n"))
			}
		}
		nc.Close()
		return
	}
	c := newConn(s, nc)
	s.open[c] = struct{}{}
	s.conns.Add(1)
	s.mu.Unlock()
	s.accepted.Add(1)
	go func() {
		defer s.conns.Done()
		c.serve()
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	}()
}

// lease is a leaser.
func (s *Server) lease(ctx context.Context, key string) (time.Time, error) {
	g, name := s.named(key)
	_, until, err := cachemesh.Lend(ctx, g, name)
	return until, err
}

// track begins to renew the leases of what clients keep.
func (s *Server) track() {
	s.once.Do(func() { s.looks.Go(func() { s.tracks.run(s.ctx, s.lease) }) })
}

// Told tells the clients that keep a key of a group that it is about to change; "" for all keys.
func (s *Server) Told(name, key string) {
	switch {
	case s.tracks.clients.Load() == 0:
	case key == "":
		s.tracks.all()
	case s.o.Prefixed[name] != nil:
		s.tracks.changed(name + ":" + key)
	default:
		s.tracks.changed(key)
	}
}

// Shutdown lets the commands under way end, and closes all connections. If ctx ends first it
// calls them off, and returns ctx's error. It is safe to call more than once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopping.Store(true)
	s.leave()
	s.mu.Lock()
	s.closing = true
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.open {
		c.nc.SetReadDeadline(time.Unix(1, 0)) // a read that waits ends; see conn.fill
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.conns.Wait()
		close(ended)
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
		s.cancel()
		s.mu.Lock()
		for c := range s.open {
			c.nc.Close()
		}
		s.mu.Unlock()
		<-ended
	}
	s.cancel()
	s.looks.Wait()
	return err
}

// Stats is what a Server counted.
type Stats struct {
	Clients                     int // that are connected
	Accepted, Refused, Commands int64
}

// Stats returns what the server counted.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	n := len(s.open)
	s.mu.Unlock()
	return Stats{Clients: n, Accepted: s.accepted.Load(), Refused: s.refused.Load(), Commands: s.commands.Load()}
}

// clients returns the open connections.
func (s *Server) clients() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*conn, 0, len(s.open))
	for c := range s.open {
		all = append(all, c)
	}
	return all
}
