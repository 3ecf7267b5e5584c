package cachemesh

import (
	"maps"
	"time"
)

// NodeStats is what a node counted since New, over all groups.
type NodeStats struct {
	Members int    // in its view
	Epoch   uint64 // views it has held
	Settled bool   // every member acts by that view
	Missing int    // members that vanished without leaving and are not forgotten yet

	// Mode is by what right this member answers: "majority"; "half" of a mesh of
	// two, or "minority", which keep what they load for MaxStale at most, and a
	// minority's writes return ErrMinority; "unsettled": the members do not agree yet.
	Mode        string
	ModeSince   time.Duration // how long that is so
	Primary     uint64        // number of the majority's view; 0: it has none
	WaitsFor    []string      // names of members whose return, or end, would make a majority
	Unreachable []string      // IDs of members that gossip and cannot be called, if any
	Expelled    []string      // names of members that this one goes on without for that reason

	Calls      uint64 // calls made to peers
	CallErrors uint64 // of these, those that failed before an answer came
	Relayed    uint64 // calls that another member passed on, because the one wanted could not be reached from here
	Served     uint64 // calls answered for peers
	ConnsIn    int    // open connections from peers
	ConnsOut   int    // open connections to peers
	BytesIn    uint64 // on those connections
	BytesOut   uint64

	// Refused counts connections that were refused when they opened, and gossip
	// packets of another mesh, and BadFrames connections that were closed for what
	// the peer sent, both by reason. Refused["tls"] counts failed TLS handshakes in
	// both directions, Refused["handshake not finished"] connections that proved
	// nothing in 2 s or had to make room.
	Refused   map[string]uint64
	BadFrames map[string]uint64

	TotalBytes int64 // Options.TotalBytes; 0: none
	MaxBytes   int64 // of all groups together
	Bytes      int64 // that they take of it

	HandedOver  uint64 // values without a loader that other members took from this one, as it left or they joined
	Lost        uint64 // values without a loader that were this member's, and that no new owner took
	ParkedBytes int    // that parked values take, beside MaxBytes; at most 64 MiB, or a quarter of TotalBytes
	Parked      int    // values that others handed over for groups that are not registered here yet
	ParkedLost  uint64 // of such values, those that had no room here

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
	s.Relayed, s.Lost, s.HandedOver = n.ways.Relayed.Load(), n.lost.Load(), n.handedOver.Load()
	s.TotalBytes = n.opts.TotalBytes
	for _, c := range n.groups.all() {
		s.MaxBytes += c.MaxBytes.Load()
		s.Bytes += c.bytes(c.Store.Stats())
	}
	if v := n.state.View(); v != nil {
		s.Members, s.Epoch, s.Settled = len(v.Members), v.Epoch, v.Settled()
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
	n.mu.Lock()
	s.ParkedLost, s.ParkedBytes = n.parked.lost, n.parked.bytes
	for _, g := range n.parked.groups {
		s.Parked += g.values()
	}
	n.mu.Unlock()
	st := n.settler.Standing()
	s.Mode, s.ModeSince, s.Primary, s.Missing = st.Mode, st.Since, st.Primary, st.Missing
	s.WaitsFor, s.Unreachable, s.Expelled = st.WaitsFor, st.Unreachable, st.Expelled
	return s
}
