package httppool

import "fmt"

// Renew tells that the member at addr is now the one of this id, as its Config.Self says.
// What failed with a former one says nothing of it: connections to that are closed, so
// that calls on them fail with ErrConnLost at once, and the next call dials at once. A
// dial under way begins anew. It is for whoever learns of members; it does not dial.
func (p *Pool) Renew(addr, id string) {
	p.mu.RLock()
	q := p.peers[addr]
	p.mu.RUnlock()
	if q == nil {
		return
	}
	for i := range q.places {
		if c := q.places[i].conn.Load(); c != nil && c.id != id {
			c.fail(fmt.Errorf("%w: another run of the member is at this address", ErrConnLost))
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.places {
		if d := q.places[i].dial; d != nil && d.stop != nil {
			d.again = true
			d.stop()
		}
	}
	q.retryLocked()
}

// heardFrom ends the backoff of peers on a host of which a peer connected: it is there
// again, and its connections are few.
func (p *Pool) heardFrom(host string) {
	var there []*Peer
	p.mu.RLock()
	for _, q := range p.peers {
		if hostOf(q.addr) == host {
			there = append(there, q)
		}
	}
	p.mu.RUnlock() // before a peer's lock, under which goroutines are started
	for _, q := range there {
		q.mu.Lock()
		q.retryLocked()
		q.mu.Unlock()
	}
}
