package httppool

import (
	"bufio"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Reasons by which Stats.Refused counts.
const (
	refusedRequest   = "not an upgrade request"
	refusedVersion   = "version"
	refusedHello     = "bad handshake"
	refusedMesh      = "mesh"
	refusedAddr      = "address"
	refusedSecret    = "secret"
	refusedUnwanted  = "not served here"
	refusedFull      = "too many connections"
	refusedDraining  = "shutting down"
	refusedHijack    = "server cannot upgrade"
	refusedHandshake = "handshake not finished"
	refusedTLS       = "tls"
)

const fullText = "there are too many connections already (Config.MaxConns)"

// refusal is the answer to a request that will not become a connection.
type refusal struct {
	code   int
	reason string // as counted
	text   string // for the other end, and for the log where it is worth one
	log    string // in this member's own words; empty: not logged
}

// ServeHTTP upgrades requests of peers. Mount it at /_cachemesh/ of an HTTP/1.1
// server; it works behind middleware whose ResponseWriter has Unwrap or Hijack. It
// returns once the connection was taken over. It reads no request's body, and has a
// connection closed that it refuses.
//
// From here on a connection has DialTimeout to prove itself, and those that have not are
// bounded; what comes before, the TLS handshake and the request's head, is the server's:
// its ReadHeaderTimeout should be short. See Listener, which bounds both.
func (p *Pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	client, ref := p.examine(r)
	if ref != nil {
		p.refuse(r.RemoteAddr, ref)
		w.Header().Set("Connection", "close")
		if ref.code == http.StatusUpgradeRequired {
			w.Header().Set("Upgrade", protocol)
			w.Header().Set("Connection", "Upgrade, close")
		}
		if ref.reason == refusedFull {
			w.Header().Set(headerRefused, refusedAsFull)
		}
		// The server would wait for the rest of the request before it answers.
		http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
		http.Error(w, ref.text, ref.code)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.refuse(r.RemoteAddr, &refusal{reason: refusedHijack, log: "the HTTP server cannot hand over connections: " + err.Error()})
		http.Error(w, "this server cannot upgrade connections", http.StatusInternalServerError)
		return
	}
	conn, who := p.takeOver(conn)
	path, addr := r.URL.Path, r.RemoteAddr
	if !p.start(func() { p.admit(conn, who, rw.Reader, path, addr, client) }) {
		who.leave()
		conn.Close()
	}
}

// takeOver returns a connection as it is below the pool's Listener, and its place in
// the books of strangers.
func (p *Pool) takeOver(conn net.Conn) (net.Conn, *stranger) {
	c, ok := conn.(*newcomer)
	switch {
	case !ok || c.pool != p:
		return conn, p.strangers.enter(conn)
	case c.secure != nil:
		return c.secure, c.stranger
	}
	return c.raw, c.stranger
}

// examine checks a request.
func (p *Pool) examine(r *http.Request) (hello, *refusal) {
	var h hello
	switch {
	case r.URL.Path == pathPeer && p.cfg.Handler == nil, r.URL.Path == pathStream && p.cfg.OnStream == nil,
		r.URL.Path != pathPeer && r.URL.Path != pathStream:
		return h, &refusal{code: http.StatusNotFound, reason: refusedUnwanted, text: "nothing is served at this path"}
	case r.Method != http.MethodGet:
		return h, &refusal{code: http.StatusMethodNotAllowed, reason: refusedRequest, text: "want GET"}
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return h, &refusal{code: http.StatusHTTPVersionNotSupported, reason: refusedRequest, text: "peers connect with HTTP/1.1"}
	case !hasToken(r.Header.Values("Connection"), "upgrade"):
		return h, &refusal{code: http.StatusUpgradeRequired, reason: refusedRequest, text: "this path is for members of the mesh; it speaks " + protocol}
	case !hasToken(r.Header.Values("Upgrade"), protocol):
		return h, &refusal{code: http.StatusUpgradeRequired, reason: refusedVersion,
			text: fmt.Sprintf("this member speaks %s, not %.40q", protocol, r.Header.Get("Upgrade")),
			log:  fmt.Sprintf("it speaks %.40q and this member %s", r.Header.Get("Upgrade"), protocol)}
	}
	h, err := parseHello(r.Header.Get)
	switch {
	case err != nil:
		return h, &refusal{code: http.StatusBadRequest, reason: refusedHello, text: err.Error()}
	case h.mesh != p.cfg.Mesh:
		return h, &refusal{code: http.StatusForbidden, reason: refusedMesh,
			text: fmt.Sprintf("this member belongs to another mesh than %q (Options.Mesh)", h.mesh),
			log:  fmt.Sprintf("it belongs to the mesh %q and this member to %q (Options.Mesh)", h.mesh, p.cfg.Mesh)}
	case h.addr != "" && h.addr == p.cfg.Addr && h.id != p.cfg.Self:
		return h, &refusal{code: http.StatusConflict, reason: refusedAddr,
			text: fmt.Sprintf("this member advertises the address %s too; give each its own (Options.AdvertiseAddr)", h.addr),
			log:  fmt.Sprintf("it advertises this member's own address, %s; give each its own (Options.AdvertiseAddr)", h.addr)}
	case h.auth && len(p.cfg.Secret) == 0:
		return h, &refusal{code: http.StatusForbidden, reason: refusedSecret,
			text: "this member has no shared secret and the caller has one; give both the same (Options.Secret)",
			log:  "it asks for a shared secret and this member has none (Options.Secret)"}
	case !h.auth && len(p.cfg.Secret) > 0:
		return h, &refusal{code: http.StatusForbidden, reason: refusedSecret,
			text: "this member wants proof of the shared secret and the caller has none (Options.Secret)",
			log:  "it does not know the shared secret (Options.Secret)"}
	}
	if next := p.tenants.successor(h.addr, h.id); next != "" {
		return h, &refusal{code: http.StatusConflict, reason: refusedAddr,
			text: fmt.Sprintf("another process that advertises the address %s came after the caller; give each its own (Options.AdvertiseAddr)", h.addr),
			log:  fmt.Sprintf("two processes that live, %q and %q, advertise the address %s; give each its own (Options.AdvertiseAddr)", h.id, next, h.addr)}
	}
	switch {
	case p.draining.Load():
		return h, &refusal{code: http.StatusServiceUnavailable, reason: refusedDraining, text: "this member is shutting down"}
	case r.URL.Path == pathPeer && p.full(hostOf(r.RemoteAddr)):
		return h, &refusal{code: http.StatusServiceUnavailable, reason: refusedFull, text: "too many connections",
			log: fullText}
	}
	return h, nil
}

func hasToken(values []string, token string) bool {
	for _, v := range values {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}

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

// evicted closes a stranger that took too long, or that had to make room.
func (p *Pool) evicted(conn net.Conn) {
	p.refuse("", &refusal{reason: refusedHandshake})
	conn.Close()
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

// refuse counts a refusal and logs it when it has words for the log.
func (p *Pool) refuse(addr string, ref *refusal) {
	p.stats.refused.add(ref.reason)
	if ref.log == "" {
		return
	}
	host := hostOf(addr)
	if p.notices.due(host, ref.reason, time.Now()) {
		p.cfg.Logger.Warn("refused a peer connection from " + host + ": " + ref.log)
	}
}

func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

// rawConn lets the pool close a connection that is being opened.
type rawConn struct{ net.Conn }

func (c *rawConn) fail(error) { c.Close() }
