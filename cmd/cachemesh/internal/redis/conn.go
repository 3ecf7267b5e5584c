package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/claims"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/resp"
)

const (
	commandTime = 10 * time.Second // that a command has at least
	lingerTime  = time.Second      // for which what a refused client sends is taken
	lingerBytes = 256 << 20
)

// A conn is a client's connection. All but what mu guards is its goroutine's own.
type conn struct {
	s  *Server
	nc net.Conn
	r  *resp.Reader
	answers

	id     int64
	began  time.Time
	known  bool      // it has said the password, or there is none
	since  time.Time // if not: how long it has been a stranger
	timed  bool      // nc has a deadline for reads, of the idle timeout
	ending bool      // it is closed once it is answered
	off    bool      // CLIENT REPLY OFF
	skip   int       // commands whose answer CLIENT REPLY SKIP suppresses, itself included
	gets   []string
	claims *claims.Holder // nil: it never had one
	queue  queue
	out    *timedWriter

	tracking tracking
	wire     chan struct{} // has an element while somebody writes to nc
	partial  bool          // a part of an answer has gone out; guarded by wire
	count    int64         // commands that Server.commands does not count yet

	ctx    context.Context // of commands, see context
	cancel context.CancelFunc
	until  time.Time // when ctx ends

	mu   sync.Mutex // guards what CLIENT LIST of others reads
	info clientInfo
}

// clientInfo is what CLIENT LIST says of a client.
type clientInfo struct {
	name, libName, libVersion string
	last                      string // command
	at                        time.Time
	proto                     int
}

func newConn(s *Server, nc net.Conn) *conn {
	now := time.Now()
	c := &conn{s: s, nc: nc, id: s.ids.Add(1), began: now, info: clientInfo{at: now, proto: 2, last: "NULL"}}
	c.r = resp.NewReader(nc, s.limits, s.budget)
	c.wire = make(chan struct{}, 1)
	c.out = &timedWriter{conn: c, timeout: s.o.WriteTimeout}
	c.w = resp.NewWriter(c.out, s.budget)
	c.setKnown(s.o.Password == "")
	return c
}

// setKnown lets a client in, or makes it a stranger, who may say little.
func (c *conn) setKnown(known bool) {
	c.known = known
	limits := c.s.limits
	if !known {
		c.since = time.Now()
		limits.Args, limits.Bulk, limits.Total = strangersArgs, strangersBulk, strangersArgs*strangersBulk
	}
	c.r.SetLimits(limits)
}

// serve carries out the client's commands until it leaves or has to.
func (c *conn) serve() {
	defer c.end()
	if secure, ok := c.nc.(*tls.Conn); ok {
		c.nc.SetDeadline(time.Now().Add(strangersTime))
		if c.s.stopping.Load() {
			return
		}
		if err := secure.HandshakeContext(c.s.ctx); err != nil {
			c.s.o.Log.Debug("a Redis client's TLS handshake failed", "addr", c.nc.RemoteAddr(), "err", err)
			return
		}
		c.nc.SetDeadline(time.Time{})
	}
	for !c.ending {
		args, ok, err := c.r.Next()
		switch {
		case err != nil:
			c.runGets()
			c.refuse(err)
			return
		case !ok:
			if c.runGets(); c.flush() != nil || c.fill() != nil {
				return
			}
		case len(args) == 2 && c.gathers(args):
			if c.gets = append(c.gets, string(args[1])); len(c.gets) == mostGathered {
				c.runGets()
			}
		default:
			c.runGets()
			c.do(args)
		}
	}
	c.flush()
}

// end gives back what the connection has.
func (c *conn) end() {
	if p := recover(); p != nil {
		c.s.o.Log.Error("a Redis command panicked; its connection is closed", "panic", p, "stack", string(debug.Stack()))
	}
	c.nc.Close()
	endClaims(c)
	stopTracking(c)
	dropQueue(c)
	c.r.Close()
	c.w.Flush()
	if c.cancel != nil {
		c.cancel()
	}
}

// refuse says why the connection cannot go on.
func (c *conn) refuse(err error) {
	var protocol resp.ProtocolError
	switch {
	case errors.As(err, &protocol) && !c.known:
		c.w.Error("ERR Protocol error: unauthenticated, or " + string(protocol))
	case errors.As(err, &protocol):
		c.w.Error("ERR " + err.Error())
	default:
		c.w.Error("ERR the clients' commands take all the memory they may (redis-max-buffered)")
	}
	c.s.o.Log.Debug("a Redis client was refused", "addr", c.nc.RemoteAddr(), "err", err)
	if c.flush() == nil && c.known {
		linger(c)
	}
}

// linger takes what the client has sent, for a moment, so that it has its answer: a connection that is closed with
// something unread is reset, and answers that are on their way are lost.
func linger(c *conn) {
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.nc.SetReadDeadline(time.Now().Add(lingerTime))
	if !c.s.stopping.Load() {
		io.Copy(io.Discard, io.LimitReader(c.nc, lingerBytes))
	}
}

func (c *conn) flush() error {
	if c.count > 1 {
		runtime.Gosched() // so that the answers of many clients go out together: each wakes somebody
	}
	if c.count > 0 {
		c.s.commands.Add(c.count)
		c.count = 0
	}
	c.wire <- struct{}{}
	c.out.holds = true
	settle(c)
	err := c.w.Flush()
	c.out.holds, c.partial = false, false
	<-c.wire
	return err
}

// fill waits for the client. It fails once the server shuts down: Shutdown says so first, and
// ends the wait then.
func (c *conn) fill() error {
	var since time.Time // it has waited; zero: not with an idle timeout
	for {
		idle := time.Duration(c.s.idle.Load())
		switch {
		case !c.known:
			c.nc.SetReadDeadline(c.since.Add(strangersTime))
		case idle > 0:
			if since.IsZero() {
				since = time.Now()
			}
			c.nc.SetReadDeadline(since.Add(idle))
			c.timed = true
		case c.timed:
			c.nc.SetReadDeadline(time.Time{})
			c.timed = false
		}
		if c.s.stopping.Load() {
			return net.ErrClosed
		}
		err := c.r.Fill()
		late := errors.Is(err, os.ErrDeadlineExceeded)
		switch now := time.Duration(c.s.idle.Load()); {
		case late && c.known && !c.s.stopping.Load() && (now == 0 || time.Since(since) < now):
			continue // CONFIG SET has changed the timeout meanwhile
		case errors.Is(err, resp.ErrBudget):
			c.refuse(err)
		case err != nil && !errors.Is(err, io.EOF) && !late:
			c.s.o.Log.Debug("a Redis client is gone", "addr", c.nc.RemoteAddr(), "err", err)
		}
		return err
	}
}

// context returns a context for a command, with at least commandTime to go. It is made for
// several commands, one after the other.
func (c *conn) context() context.Context {
	if now := time.Now(); c.until.Sub(now) < commandTime {
		if c.cancel != nil {
			c.cancel()
		}
		c.until = now.Add(2 * commandTime)
		c.ctx, c.cancel = context.WithDeadline(c.s.ctx, c.until)
	}
	return c.ctx
}

func (c *conn) get(key string) ([]byte, error) {
	g, name := c.s.named(key)
	return g.Get(c.context(), name)
}

const releaseTime = 5 * time.Second // to give up the claims of a connection that ended

// endClaims gives up what the connection has won.
func endClaims(c *conn) {
	if c.claims == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	c.claims.End(ctx)
}

// many writes the answers to several GETs, each of its own. Keys of one group are one call.
func (c *conn) many(keys []string) {
	if len(c.s.spaces) == 1 {
		values, failed := c.getMany(c.s.o.Group, keys)
		for _, key := range keys {
			c.oneOf(key, values, failed)
		}
		return
	}
	type got struct {
		keys   []string
		values map[string][]byte
		failed cachemesh.KeyErrors
	}
	byGroup := make(map[*group]*got)
	for _, key := range keys {
		g, name := c.s.named(key)
		if byGroup[g] == nil {
			byGroup[g] = new(got)
		}
		byGroup[g].keys = append(byGroup[g].keys, name)
	}
	for g, of := range byGroup {
		of.values, of.failed = c.getMany(g, of.keys)
	}
	for _, key := range keys {
		g, name := c.s.named(key)
		c.oneOf(name, byGroup[g].values, byGroup[g].failed)
	}
}

// getMany returns the values of keys, and the error of each that failed.
func (c *conn) getMany(g *group, keys []string) (map[string][]byte, cachemesh.KeyErrors) {
	values, err := g.GetMany(c.context(), keys)
	var failed cachemesh.KeyErrors
	if err != nil && !errors.As(err, &failed) {
		failed = make(cachemesh.KeyErrors, len(keys))
		for _, key := range keys {
			failed[key] = err
		}
	}
	return values, failed
}
