package httppool

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
)

// Listener returns ln for an http.Server that serves the pool and nothing else, over TLS
// if cfg is not nil. From the moment it is accepted a connection has DialTimeout to prove
// that a peer opened it, TLS handshake and HTTP request included, and at most 256 that
// have not are open at a time: the oldest of the host that has the most makes room. A
// server of the user's own is outside of that until its ServeHTTP is called.
//
// What fails for TLS is counted in Stats.Refused and logged, once a minute for each host.
func (p *Pool) Listener(ln net.Listener, cfg *tls.Config) net.Listener {
	if cfg != nil {
		cfg = cfg.Clone()
		cfg.NextProtos = []string{"http/1.1"} // HTTP/2 has no Upgrade
	}
	return &listener{Listener: ln, pool: p, tls: cfg}
}

type listener struct {
	net.Listener
	pool *Pool
	tls  *tls.Config // nil: plain
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &newcomer{Conn: conn, pool: l.pool, raw: conn}
	c.stranger = l.pool.strangers.enter(conn)
	if l.tls != nil {
		c.secure = tls.Server(conn, l.tls)
		c.Conn = c.secure
	}
	return c, nil
}

// newcomer is an accepted connection that is in the books of strangers. The pool takes
// what is in it once a peer was proved.
type newcomer struct {
	net.Conn          // raw, or secure
	raw      net.Conn // as accepted
	secure   *tls.Conn
	pool     *Pool
	stranger *stranger
	shake    sync.Once
	err      error // of the TLS handshake, set by shake
	heard    bool  // the first byte came; the reader's
}

// Read shakes hands for TLS before the first byte.
func (c *newcomer) Read(b []byte) (int, error) {
	if c.secure != nil {
		c.shake.Do(c.handshake)
		if c.err != nil {
			return 0, c.err
		}
		return c.secure.Read(b)
	}
	n, err := c.raw.Read(b)
	if n > 0 && !c.heard {
		c.heard = true
		if b[0] == tlsHandshakeRecord {
			c.pool.refuse(c.remote(), &refusal{reason: refusedTLS, log: "it speaks TLS and this member does not (Options.TLS)"})
		}
	}
	return n, err
}

// tlsHandshakeRecord is the first byte of a TLS connection, and of no HTTP request.
const tlsHandshakeRecord = 22

// handshake is ended by the books of strangers if it takes too long.
func (c *newcomer) handshake() {
	c.err = c.secure.HandshakeContext(context.Background())
	if c.err == nil || !faultOfTLS(c.err) || c.stranger.out() {
		return
	}
	log := "the TLS handshake failed (Options.TLS): " + clip(c.err.Error())
	if re, ok := errors.AsType[tls.RecordHeaderError](c.err); ok && re.Conn != nil {
		log = "it does not speak TLS and this member does (Options.TLS)"
		io.WriteString(c.raw, "HTTP/1.0 400 Bad Request\r\n\r\nthis member speaks TLS and the caller does not (Options.TLS)\n")
	}
	c.pool.refuse(c.remote(), &refusal{reason: refusedTLS, log: log})
}

func (c *newcomer) remote() string { return c.raw.RemoteAddr().String() }

// CloseWrite lets the server end an answer without cutting it off.
func (c *newcomer) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// Close may be called by the server while it serves HTTP, and by the pool.
func (c *newcomer) Close() error {
	c.stranger.leave()
	return c.raw.Close()
}
