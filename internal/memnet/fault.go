package memnet

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Trace calls fn for every fault from now on, after it took effect. fn may be
// called concurrently; nil ends it.
func (n *Network) Trace(fn func(Event)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.trace = fn
}

// apply changes the faults, makes the change felt and traces it.
func (n *Network) apply(fault string, change func()) {
	n.mu.Lock()
	change()
	n.refreshLocked()
	n.changedLocked()
	trace := n.trace
	n.mu.Unlock()
	if trace != nil {
		trace(Event{At: time.Since(n.born), Fault: fault})
	}
}

// refreshLocked applies the faults to what is open.
func (n *Network) refreshLocked() {
	for _, h := range n.sortedHostsLocked() {
		for _, c := range h.streams {
			c.refreshLocked()
		}
		for c := range h.accepted {
			c.refreshLocked()
		}
		for _, s := range h.sockets {
			s.setPaused(h.paused)
			s.loseInFlight(func(from netip.Addr) bool {
				cut := n.isCutLocked(n.ips[from], h.name)
				if cut {
					n.hosts[n.ips[from]].counters.lost.Add(1)
				}
				return cut
			})
		}
		for _, l := range h.listeners {
			l.ready.Broadcast()
		}
	}
}

// SetLatency gives every link a latency that is drawn from min to max for each
// packet, so packets overtake each other, and for each write to a stream, which
// stays in order. It replaces the latencies of single links.
func (n *Network) SetLatency(min, max time.Duration) {
	n.apply(fmt.Sprintf("latency %v to %v", min, max), func() {
		n.base.min, n.base.max = clamp(min, max)
		for ends, l := range n.links {
			if ends[0] != ends[1] {
				l.min, l.max = n.base.min, n.base.max
			}
		}
	})
}

// SetLinkLatency sets the latency one way.
func (n *Network) SetLinkLatency(from, to string, min, max time.Duration) {
	n.apply(fmt.Sprintf("latency %s -> %s %v to %v", from, to, min, max), func() {
		l := n.linkLocked(from, to)
		l.min, l.max = clamp(min, max)
	})
}

// clamp makes a range of what may be none.
func clamp(lo, hi time.Duration) (time.Duration, time.Duration) {
	lo = max(lo, 0)
	return lo, max(lo, hi)
}

// SetLoss makes every link lose this part of all packets, from 0 to 1. Streams
// are not affected.
func (n *Network) SetLoss(p float64) {
	n.apply(fmt.Sprintf("loss %g", p), func() {
		n.base.loss = p
		for ends, l := range n.links {
			if ends[0] != ends[1] {
				l.loss = p
			}
		}
	})
}

// Cut cuts one link one way, until Heal. Packets are lost; streams stall.
func (n *Network) Cut(from, to string) {
	n.apply(fmt.Sprintf("cut %s -> %s", from, to), func() { n.cuts[[2]string{from, to}] = true })
}

// Partition cuts all links between hosts of different groups, both ways. Hosts
// in no group make a group of their own, those added later included. It replaces
// an earlier Partition, and does not lift a Cut.
func (n *Network) Partition(groups ...[]string) {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = strings.Join(g, " ")
	}
	n.apply("partition "+strings.Join(names, " | "), func() {
		clear(n.sides)
		for i, g := range groups {
			for _, name := range g {
				n.sides[name] = i + 1
			}
		}
	})
}

// Heal lifts every Cut, the Partition and what was done to streams alone. Streams
// go on where they stalled.
func (n *Network) Heal() {
	n.apply("heal", func() {
		clear(n.cuts)
		clear(n.sides)
		clear(n.stalls)
		clear(n.answers)
	})
}

// Pause makes the host look suspended: nothing is read from its network, and
// what it sends stays in its buffers, within their bounds. Its connections stay
// open, and its system goes on accepting new ones into the listeners' backlog.
// It does nothing if there is no such host, as Resume and Kill.
func (n *Network) Pause(name string) { n.setPaused(name, true) }

// Resume ends Pause. What was kept meanwhile is sent and read.
func (n *Network) Resume(name string) { n.setPaused(name, false) }

func (n *Network) setPaused(name string, paused bool) {
	fault := "resume " + name
	if paused {
		fault = "pause " + name
	}
	n.apply(fault, func() {
		h := n.hosts[name]
		if h == nil || h.dead {
			return
		}
		h.paused = paused
		if paused {
			return
		}
		held := h.held
		h.held = nil
		for _, p := range held {
			h.sendLocked(p)
		}
	})
}

// Kill ends the host as a crash of its process does: peers find its streams
// reset, nobody listens any more, and whatever still runs on it reaches nothing.
// A peer that is cut off learns it after Heal. Host returns a new host of the
// same name and address.
func (n *Network) Kill(name string) {
	n.apply("kill "+name, func() {
		h := n.hosts[name]
		if h == nil || h.dead {
			return
		}
		h.dead, h.paused, h.held = true, false, nil
		for _, l := range h.listeners {
			l.closeLocked()
		}
		for _, c := range h.streams {
			c.abortLocked()
		}
		for c := range h.accepted {
			c.abortLocked()
		}
		for _, s := range h.sockets {
			s.shut()
		}
		clear(h.sockets)
	})
}
