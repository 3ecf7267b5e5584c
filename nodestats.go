package cachemesh

import "maps"

// NodeStats is what a node counted since New, over all groups.
type NodeStats struct {
	Members int    // in its view
	Epoch   uint64 // views it has held
	Settled bool   // every member acts by that view
	Missing int    // members that vanished without leaving and are not forgotten yet

	Calls      uint64 // calls made to peers
	CallErrors uint64 // of these, those that failed before an answer came
	Served     uint64 // calls answered for peers
	ConnsIn    int    // open connections from peers
	ConnsOut   int    // open connections to peers
	BytesIn    uint64 // on those connections
	BytesOut   uint64

	// Refused counts connections that were refused when they opened, and gossip
	// packets of another mesh, and BadFrames connections that were closed for what
	// the peer sent, both by reason.
	Refused   map[string]uint64
	BadFrames map[string]uint64

	// Health is gossip's opinion of this member: 0 is healthy, more means that it or
	// its network answers late.
	Health int

	GossipPacketsIn, GossipPacketsOut uint64
	GossipBytesIn, GossipBytesOut     uint64 // of packets and streams
}

// Stats returns what the node counted. It is cheap, and safe at any time.
func (n *Node) Stats() NodeStats {
	p := n.pool.Stats()
	s := NodeStats{
		Calls: p.Calls, CallErrors: p.CallErrors, Served: p.ServedFast + p.Served,
		ConnsIn: p.ConnsIn, ConnsOut: p.ConnsOut, BytesIn: p.BytesIn, BytesOut: p.BytesOut,
		Refused: maps.Clone(p.Refused), BadFrames: maps.Clone(p.BadFrames),
	}
	if v := n.view.Load(); v != nil {
		s.Members, s.Epoch, s.Settled = len(v.members), v.epoch, v.settled.Load()
	}
	if ms := n.membership(); ms != nil {
		g := ms.Stats()
		s.GossipPacketsIn, s.GossipPacketsOut = g.PacketsIn, g.PacketsOut
		s.GossipBytesIn, s.GossipBytesOut = g.PacketBytesIn+g.StreamBytesIn, g.PacketBytesOut+g.StreamBytesOut
		s.Health = g.Health
		if g.OtherMesh > 0 {
			if s.Refused == nil {
				s.Refused = make(map[string]uint64)
			}
			s.Refused["mesh"] += g.OtherMesh
		}
	}
	n.adopting.Lock()
	s.Missing = len(n.doubts.missing)
	n.adopting.Unlock()
	return s
}
