package httppool

import (
	"errors"
	"net"
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

const drainingText = "this member is shutting down" // to the other end, which knows it by that

const fullText = "there are too many connections already (Config.MaxConns)"

// refusal is the answer to a request that will not become a connection.
type refusal struct {
	code   int
	reason string // as counted
	text   string // for the other end, and for the log where it is worth one
	log    string // in this member's own words; empty: not logged
}

// refuse counts a refusal and logs it when it has words for the log.
func (p *core) refuse(addr string, ref *refusal) {
	p.stats.refused.add(ref.reason)
	if ref.log == "" {
		return
	}
	host := hostOf(addr)
	if p.notices.due(host, ref.reason, time.Now()) {
		p.cfg.Logger.Warn("refused a peer connection from "+host+": "+ref.log, "addr", host, "reason", ref.reason)
	}
}

// noteBadFrame counts and logs err if it is a peer's fault against the protocol.
func (p *core) noteBadFrame(addr string, err error) {
	var bad *frameError
	if !errors.As(err, &bad) {
		return
	}
	p.stats.badFrames.add(bad.reason)
	if host := hostOf(addr); p.notices.due(host, bad.reason, time.Now()) {
		p.cfg.Logger.Warn("closed a peer connection with "+host+": bad frame", "addr", host, "reason", bad.reason, "detail", bad.detail)
	}
}

// noteTLS counts and logs a dial that failed for TLS.
func (p *core) noteTLS(addr string, err error) {
	if !faultOfTLS(err) {
		return
	}
	p.stats.refused.add(refusedTLS)
	if p.notices.due(addr, refusedTLS, time.Now()) {
		p.cfg.Logger.Warn("the TLS handshake with a peer failed (Options.TLS)", "addr", addr, "err", clip(err.Error()))
	}
}

func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

// clip shortens a text that the other end may have chosen.
func clip(s string) string { return s[:min(len(s), 300)] }
