package httppool

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

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
		return h, &refusal{code: http.StatusServiceUnavailable, reason: refusedDraining, text: drainingText}
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
