package httppool

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// opened is a connection after its handshake.
type opened struct {
	conn  net.Conn
	first []byte // read beyond the handshake
	id    string // of the other end
	lim   limits // of the other end
	nonce []byte // of the client

	carries []byte // the nonce of the connection that this one is the carrier of
}

// maxAnswer bounds the bytes of a server's answer to the handshake.
const maxAnswer = 16 << 10

// open dials addr and upgrades the connection on path. TLS verifies the peer against
// host, or the host of addr if it is empty. Errors match ErrUnreachable or ErrRefused, or
// are ctx's. carries, if not nil, names the connection that the new one is to be the carrier of.
func (p *core) open(ctx context.Context, addr, host, path string, carries []byte) (opened, error) {
	p.stats.dials.Add(1)
	conn, err := p.dialConn(ctx, addr, host)
	if err == nil {
		// A context that ends makes every read and write of the handshake end.
		stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
		var o opened
		o, err = p.greet(conn, addr, path, carries)
		stopped := stop()
		if stopped && err == nil {
			return o, nil
		}
		// Since TLS 1.3 a server refuses a certificate when its client has shaken hands.
		if stopped && isAlert(err) {
			p.noteTLS(addr, err)
		}
		conn.Close()
	}
	p.stats.dialErrors.Add(1)
	if ctx.Err() != nil {
		return opened{}, fmt.Errorf("%w: %w", ErrUnreachable, context.Cause(ctx))
	}
	return opened{}, err
}

// dialConn connects, and shakes hands for TLS if it is configured.
func (p *core) dialConn(ctx context.Context, addr, host string) (net.Conn, error) {
	conn, err := p.cfg.Dial(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if p.cfg.TLS == nil {
		return conn, nil
	}
	cfg := p.cfg.TLS.Clone()
	cfg.NextProtos = []string{"http/1.1"}
	if cfg.ServerName == "" {
		if cfg.ServerName = cmp.Or(host, addr); host == "" && strings.Contains(addr, ":") {
			cfg.ServerName, _, _ = net.SplitHostPort(addr)
		}
	}
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		p.noteTLS(addr, err)
		return nil, fmt.Errorf("%w: the TLS handshake failed (Options.TLS): %w", ErrUnreachable, markTLS(err))
	}
	return secure, nil
}

// greet is the client's part of the handshake.
func (p *core) greet(conn net.Conn, addr, path string, carries []byte) (opened, error) {
	mine := p.hello()
	mine.carries = carries
	mine.auth = len(p.cfg.Secret) > 0
	var req bytes.Buffer
	fmt.Fprintf(&req, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: %s\r\n%s",
		path, hostHeader(addr), protocol, mine.header())
	if mine.auth {
		fmt.Fprintf(&req, "%s: %s\r\n", headerAuth, authScheme)
	}
	req.WriteString("\r\n")
	if _, err := conn.Write(req.Bytes()); err != nil {
		return opened{}, fmt.Errorf("%w: handshake: %w", ErrUnreachable, err)
	}
	br := bufio.NewReader(io.LimitReader(conn, maxAnswer))
	resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodGet})
	if err != nil {
		return opened{}, fmt.Errorf("%w: handshake: %w", ErrUnreachable, markTLS(err))
	}
	if err := fullError(resp); err != nil {
		return opened{}, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
		why := strings.TrimSpace(string(text))
		if why == drainingText {
			return opened{}, fmt.Errorf("%w: %w", ErrRefused, ErrDraining)
		}
		err := fmt.Errorf("%w: the peer says %s: %q", ErrRefused, resp.Status, why)
		return opened{}, markStatus(err, resp.StatusCode)
	}
	if got := resp.Header.Get("Upgrade"); got != protocol {
		return opened{}, fmt.Errorf("%w: the peer upgraded to %q instead of %q", ErrRefused, got, protocol)
	}
	theirs, err := parseHello(resp.Header.Get)
	if err != nil {
		return opened{}, fmt.Errorf("%w: the peer's answer is wrong: %w", ErrRefused, err)
	}
	if theirs.mesh != mine.mesh {
		return opened{}, markMismatch(fmt.Errorf("%w: the peer belongs to the mesh %q and this member to %q (Options.Mesh)", ErrRefused, theirs.mesh, mine.mesh))
	}
	if mine.auth {
		if err := p.prove(conn, path, resp.Header.Get(headerProof), mine, theirs); err != nil {
			return opened{}, err
		}
	}
	first, _ := br.Peek(br.Buffered())
	return opened{conn: conn, first: first, id: theirs.id, lim: theirs.lim, nonce: mine.nonce, carries: theirs.carries}, nil
}

// prove checks the server's proof and gives the client's.
func (p *core) prove(conn net.Conn, path, given string, mine, theirs hello) error {
	got, _ := base64.RawURLEncoding.DecodeString(given)
	verdict := make([]byte, verdictSize)
	secret := p.shown(got, path, mine, theirs)
	if secret == nil {
		conn.Write(verdict) // tells the peer why; it may be gone
		return markMismatch(fmt.Errorf("%w: the peer does not know this member's shared secret; give both the same (Options.Secret)", ErrRefused))
	}
	verdict[0] = verdictAccept
	copy(verdict[1:], proof(secret, "client", path, mine, theirs))
	if _, err := conn.Write(verdict); err != nil {
		return fmt.Errorf("%w: handshake: %w", ErrUnreachable, err)
	}
	return nil
}

// hostHeader makes any address fit a request's head.
func hostHeader(addr string) string {
	for _, r := range []byte(addr) {
		if r <= ' ' || r >= 0x7f {
			return "peer"
		}
	}
	return addr
}

// stream returns the connection with what was read too far put back.
func (o opened) stream() net.Conn {
	if len(o.first) == 0 {
		return o.conn
	}
	return &prefixed{Conn: o.conn, first: o.first}
}

// prefixed reads first before the connection. One goroutine may read at a time.
type prefixed struct {
	net.Conn
	first []byte
}

func (c *prefixed) Read(p []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// fullError is the client's error for a peer that is full.
func fullError(resp *http.Response) error {
	if resp.Header.Get(headerRefused) != refusedAsFull {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrRefused, ErrFull)
}
