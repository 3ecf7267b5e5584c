package httppool

import (
	"bufio"
	"context"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"time"
)

// admit finishes the handshake on a goroutine of the pool and serves the connection.
func (p *Pool) admit(conn net.Conn, who *stranger, br *bufio.Reader, path, addr string, client hello) {
	raw := &rawConn{conn}
	if !p.adopt(raw) {
		who.leave()
		conn.Close()
		return
	}
	if path != pathPeer || p.carriedBy(client.carries, client.id) == nil {
		client.carries = nil // the answer does not confirm it
	}
	err := p.welcome(conn, br, path, client)
	in := who.leave()
	p.drop(raw)
	if err == nil && in {
		p.admitted(conn, br, path, addr, client)
		return
	}
	if !in {
		closeNow(conn)
		return // it took too long, which was counted
	}
	defer closeNow(conn) // counted first: whoever sees it closed finds it counted
	ref := &refusal{reason: refusedHandshake}
	if errors.Is(err, errSecret) {
		ref = &refusal{reason: refusedSecret, log: "it does not know the shared secret (Options.Secret)"}
	}
	p.noteBadFrame(addr, err)
	p.refuse(addr, ref)
}

// admitted serves a connection that a peer has proved to be its own.
func (p *Pool) admitted(conn net.Conn, br *bufio.Reader, path, addr string, client hello) {
	p.tenants.moveIn(client.addr, client.id)
	first, _ := br.Peek(br.Buffered())
	o := opened{conn: conn, first: first, id: client.id, lim: client.lim, nonce: client.nonce, carries: client.carries}
	p.heardFrom(hostOf(addr))
	if path == pathStream {
		p.cfg.OnStream(o.stream(), o.id)
		return
	}
	if !p.makeRoom(hostOf(addr)) {
		p.refuse(addr, &refusal{reason: refusedFull, log: fullText})
		closeNow(conn)
		return
	}
	p.serve(o, addr)
}

// serve answers calls on an admitted connection until it ends.
func (p *Pool) serve(o opened, addr string) {
	c := &serveConn{
		pool: &p.core, nc: o.conn, from: o.id, nonce: o.nonce, since: time.Now(), addr: addr, lim: o.lim, rd: newFrameReader(o.conn, o.first),
		partial: make(map[uint32]*partial), running: make(map[uint32]context.CancelFunc),
	}
	c.ctx, c.cancel = context.WithCancel(p.ctx)
	// If the other has ended, the caller is about to close this one, too.
	main := p.carriedBy(o.carries, o.id)
	if tied := main == nil || main.tie(c); !tied || !p.adopt(c) {
		c.fail(errMate)
		c.wg.Wait()
		return
	}
	// A carrier has all the large ones, so it may have as many as two connections would.
	c.heldMax = max(maxPartial*p.cfg.MaxValue, 16<<20)
	if main != nil {
		c.heldMax *= 2
	}
	if p.draining.Load() {
		c.goaway()
	}
	var err error
	for err == nil {
		err = c.readFrame()
	}
	p.noteBadFrame(addr, err)
	c.fail(err)
	c.wg.Wait()
	p.drop(c)
}

var errSecret = errors.New("wrong proof of the shared secret")

// welcome is the server's part of the handshake after the request was examined. The
// books of strangers end it if it takes too long.
func (p *Pool) welcome(conn net.Conn, br *bufio.Reader, path string, client hello) error {
	mine := p.hello()
	mine.carries = client.carries
	answer := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n" + mine.header()
	if client.auth {
		answer += headerProof + ": " +
			base64.RawURLEncoding.EncodeToString(proof(p.cfg.Secret, "server", path, client, mine)) + "\r\n"
	}
	if _, err := io.WriteString(conn, answer+"\r\n"); err != nil {
		return err
	}
	if client.auth {
		verdict := make([]byte, verdictSize)
		if _, err := io.ReadFull(br, verdict); err != nil {
			return err
		}
		if verdict[0] != verdictAccept || !hmac.Equal(verdict[1:], proof(p.cfg.Secret, "client", path, client, mine)) {
			return errSecret
		}
		return conn.SetDeadline(time.Time{})
	}
	// Without a secret it is for the first frame to show that a peer is there.
	need := 1
	if path == pathPeer {
		need = headerSize
	}
	head, err := br.Peek(need)
	if err != nil {
		return err
	}
	if path == pathPeer {
		if _, err := parseHeader(head); err != nil {
			return err
		}
	}
	return conn.SetDeadline(time.Time{})
}

// rawConn lets the pool close a connection that is being opened.
type rawConn struct{ net.Conn }

func (c *rawConn) fail(error) { c.Close() }

func (c *rawConn) serves() bool { return false }
