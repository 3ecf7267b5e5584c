package cachemesh

import (
	"crypto/tls"
	"maps"
	"net"

	"github.com/praveenduddu/cachemesh/membership"
)

// adopt makes a view of the membership this node's own. When it returns, nothing
// that was lost with the former view is served here any more, so that the node
// may tell others that it acts by the new one.
func (n *Node) adopt(mv *membership.View) {
	n.adopting.Lock()
	defer n.adopting.Unlock()
	old := n.view.Load()
	if old != nil && mv.Epoch <= old.epoch || n.isClosing() {
		return
	}
	v := n.newView(mv, old)
	n.noteTakenIn(v, old)
	now := n.now()
	lost := n.doubts.note(mv, now)
	n.doubts.meet(len(v.members), now)
	n.tellDoubts(now) // before the new era: whoever stores in it limits what it stores
	if lost {
		// Whoever vanished may live on and serve writes that are not seen here.
		n.limitHeld(min(n.confirmed.Load(), now+int64(n.opts.MaxStale)))
	}
	if len(v.members) > 1 {
		// A member that was alone needed nobody's confirmation; now it does.
		n.confirmed.CompareAndSwap(confirmAlone, now+int64(n.opts.MaxStale))
	}
	n.view.Store(v)
	var parcels []parcel
	for _, c := range *n.groups.Load() {
		parcels = append(parcels, c.dropLost(v)...)
	}
	n.handOver(parcels)
	n.forgetGone(mv)
	n.settler.poke()
	n.log.Info("the mesh changed", "members", len(v.members), "missing", len(n.doubts.missing), "epoch", v.epoch)
}

// noteTakenIn records for each member that is new here whether this node served
// without it before: then what that member holds may be outdated.
func (n *Node) noteTakenIn(v, old *view) {
	takenIn := make(map[string]uint64, len(v.members))
	for _, m := range v.members {
		id := m.ID()
		if epoch, known := n.takenIn[id]; known {
			takenIn[id] = epoch
		} else if n.served {
			takenIn[id] = v.epoch
		} else {
			takenIn[id] = 0
		}
	}
	n.takenIn = takenIn
}

// forgetGone closes the connections to addresses where no member is any more.
func (n *Node) forgetGone(mv *membership.View) {
	gone := make(map[string]struct{})
	for _, d := range mv.Gone {
		gone[d.Member.Addr] = struct{}{}
	}
	n.mu.Lock()
	maps.Copy(gone, n.hints)
	clear(n.hints)
	n.mu.Unlock()
	for _, m := range mv.Members {
		delete(gone, m.Addr)
	}
	for addr := range gone {
		n.peers.forget(addr)
	}
}

func (n *Node) isClosing() bool {
	select {
	case <-n.closing:
		return true
	default:
		return false
	}
}

// tlsListener serves TLS without HTTP/2, which has no Upgrade.
func tlsListener(l net.Listener, c *tls.Config) net.Listener {
	c = c.Clone()
	c.NextProtos = []string{"http/1.1"}
	return tls.NewListener(l, c)
}
