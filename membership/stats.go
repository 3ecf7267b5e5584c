package membership

// Stats counts what gossip did since New. Bytes are those of packets and streams, without headers of lower layers.
type Stats struct {
	Epoch   uint64 // of the latest view
	Members int    // in the latest view
	Health  int    // memberlist's health score: 0 is healthy, more means that this member or its network is slow

	PacketsIn, PacketsOut         uint64
	PacketBytesIn, PacketBytesOut uint64
	StreamsIn, StreamsOut         uint64
	StreamBytesIn, StreamBytesOut uint64

	OtherMesh  uint64 // packets of another mesh, which were dropped
	Conflicts  uint64 // claims of one name by two members
	LogDropped uint64 // log lines dropped because the handler was too slow
}

// Stats returns the counters. It may be called at any time, also after Close.
func (m *Membership) Stats() Stats {
	v, t, s := m.View(), m.transport, m.transport.streams
	return Stats{
		Epoch: v.Epoch, Members: len(v.Members), Health: m.list.GetHealthScore(),
		PacketsIn: t.packetsIn.Load(), PacketsOut: t.packetsOut.Load(),
		PacketBytesIn: t.bytesIn.Load(), PacketBytesOut: t.bytesOut.Load(),
		StreamsIn: s.in.Load(), StreamsOut: s.out.Load(),
		StreamBytesIn: s.bytesIn.Load(), StreamBytesOut: s.bytesOut.Load(),
		OtherMesh: t.foreign.Load(), Conflicts: m.delegate.conflicts.Load(), LogDropped: m.journal.dropped.Load(),
	}
}
