package cachemesh

import "time"

const (
	tendEvery = 200 * time.Millisecond

	// leap is how far the wall clock may run ahead of the monotonic one between
	// two looks before the machine is taken to have been suspended.
	leap = 250 * time.Millisecond
)

// tend runs the node's chores until it closes: it drops leases and copies that
// lapsed, and notices that the machine was suspended.
func (n *Node) tend() {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	lastWall, last := n.clock.Wall(), n.clock.Now()
	swept := last
	for {
		select {
		case <-n.life.Closing():
			return
		case <-tick.C:
		}
		wall, now := n.clock.Wall(), n.clock.Now()
		if wall.Sub(lastWall)-time.Duration(now-last) > leap {
			n.awake()
		}
		lastWall, last = wall, now
		if now-swept >= int64(n.opts.Lease) {
			n.sweep(now)
			n.sweepParked(now)
			swept = now
		}
	}
}

func (n *Node) sweep(now int64) {
	for _, c := range n.groups.all() {
		c.SweepBooks(now)
		c.Hot.Sweep(now)
	}
}

// awake is called when the wall clock leapt ahead of the monotonic one: most
// likely the machine was suspended, and leases lapsed that this member's clock
// did not see lapse. It serves nothing that it holds until the others have
// confirmed it. A clock that was merely set costs a few fetches.
func (n *Node) awake() {
	n.log.Warn("the wall clock leapt ahead: this machine may have been suspended, so what is held is confirmed first")
	for _, c := range n.groups.all() {
		c.Hot.InvalidateAll()
	}
	n.settler.Wake()
}
