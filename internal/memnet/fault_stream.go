package memnet

import "fmt"

// CutStreams cuts one link one way for streams alone, until Heal: they stall, and
// none can be opened either way. Packets pass, as where a firewall lost its rule
// for TCP: gossip finds both hosts well.
func (n *Network) CutStreams(from, to string) {
	n.apply(fmt.Sprintf("cut streams %s -> %s", from, to), func() { n.stalls[[2]string{from, to}] = true })
}

// RefuseStreams answers what one host dials at another with ECONNREFUSED at once
// and resets the streams that it had opened there, until Heal: as where nothing
// listens, or a firewall rejects. Packets pass.
func (n *Network) RefuseStreams(from, to string) {
	n.apply(fmt.Sprintf("refuse streams %s -> %s", from, to), func() {
		n.answers[[2]string{from, to}] = refuses
		n.resetLocked(from, to)
	})
}

// HangUp closes what one host dials at another as soon as it is open, until Heal:
// as a server whose table of connections is full. Streams that are open go on.
func (n *Network) HangUp(from, to string) {
	n.apply(fmt.Sprintf("hang up on %s -> %s", from, to), func() { n.answers[[2]string{from, to}] = hangsUp })
}

// ResetStreams breaks the streams that one host opened to another. It is over at
// once: new ones can be opened.
func (n *Network) ResetStreams(from, to string) {
	n.apply(fmt.Sprintf("reset streams %s -> %s", from, to), func() { n.resetLocked(from, to) })
}

func (n *Network) resetLocked(from, to string) {
	h := n.hosts[from]
	if h == nil {
		return
	}
	for _, c := range h.streams {
		if c.peer.host.name == to {
			c.in.breakDown()
			c.out.breakDown()
		}
	}
}

// CutLink cuts the link between two hosts both ways, until Heal.
func (n *Network) CutLink(a, b string) {
	n.apply(fmt.Sprintf("cut %s <-> %s", a, b), func() {
		n.cuts[[2]string{a, b}], n.cuts[[2]string{b, a}] = true, true
	})
}
