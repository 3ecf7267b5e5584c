package httppool

import (
	"fmt"
)

// What a member does whose table of peers' connections is full, see Config.MaxConns: it
// refuses connections with a reason that the caller can tell, but for one from the host of
// a peer of its own it closes an idle connection from a host where it has none.

// full reports whether there is no place for a connection from host.
func (p *Pool) full(host string) bool {
	return p.serving.Load() >= int64(p.cfg.MaxConns) && (!p.hosts()[host] || p.dispensable() == nil)
}

// makeRoom closes a connection, if it must, for one from host that was proved. It
// reports whether there is room now.
func (p *Pool) makeRoom(host string) bool {
	if p.serving.Load() < int64(p.cfg.MaxConns) {
		return true
	}
	if !p.hosts()[host] {
		return false
	}
	c := p.dispensable()
	if c == nil {
		return false
	}
	c.fail(fmt.Errorf("%w: it had to make room", ErrConnLost))
	p.drop(c)
	return true
}

// hosts returns where the peers that this member calls are.
func (p *Pool) hosts() map[string]bool {
	hosts := make(map[string]bool)
	p.mu.RLock()
	defer p.mu.RUnlock()
	for addr := range p.peers {
		hosts[hostOf(addr)] = true
	}
	return hosts
}

// dispensable returns the oldest connection without calls from a host where this member
// calls nobody, or nil.
func (p *Pool) dispensable() *serveConn {
	hosts := p.hosts()
	var best *serveConn
	p.mu.RLock()
	defer p.mu.RUnlock()
	for c := range p.conns {
		if c, ok := c.(*serveConn); ok && !hosts[hostOf(c.addr)] && c.idle() && c.mate().idle() && (best == nil || c.since.Before(best.since)) {
			best = c
		}
	}
	return best
}
