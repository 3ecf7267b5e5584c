package cachemesh

import "github.com/praveenduddu/cachemesh/internal/store"

// What is lost is counted, and said: values of groups without a loader that nobody took.

// note counts values that an owner will not have.
func (p *pass) note(r refusal, values int) {
	if values == 0 {
		return
	}
	p.n.lost.Add(uint64(values))
	p.mu.Lock()
	p.refused[r] += uint64(values)
	p.mu.Unlock()
}

// sayRefused says, once a pass, whose values are lost by refusal.
func (p *pass) sayRefused() {
	for r, values := range p.refused {
		p.n.log.Warn("values that no loader could bring back are lost: their new owner has a loader for the group, or they are larger than it holds",
			"values", values, "group", r.group, "owner", r.member)
	}
}

// giveUp forgets what others own and did not take.
func (p *pass) giveUp() {
	n := p.n
	if p.v == nil {
		return
	}
	for _, c := range n.groups.all() {
		if c.Origin.Load != nil {
			continue
		}
		values := 0
		c.Store.Range(n.clock.Now(), func(hash uint64, e *store.Entry) bool {
			if p.v.Ring.Owner(hash) == p.v.Self && p.v.Self >= 0 {
				return true
			}
			if !c.LetGo(p.v, hash, e) {
				return false
			}
			if !e.Negative {
				values++
			}
			return true
		})
		n.loseValues(c.Name, values)
	}
	n.loseParked(p.v)
}

// loseHeld counts what a node that closes in disorder still holds.
func (n *Node) loseHeld() {
	for _, c := range n.groups.all() {
		if c.Origin.Load != nil {
			continue
		}
		values := 0
		c.Store.Range(n.clock.Now(), func(_ uint64, e *store.Entry) bool {
			if !e.Negative {
				values++
			}
			return true
		})
		n.loseValues(c.Name, values)
	}
	n.loseParked(nil)
}

func (n *Node) loseValues(group string, values int) {
	if values > 0 {
		n.lost.Add(uint64(values))
		n.log.Warn("values that no loader could bring back were not handed over and are lost", "values", values, "group", group)
	}
}
