package memnet

import "sync/atomic"

// Stats count what hosts sent. Streams count bytes that were accepted for
// sending, in both roles of a connection.
type Stats struct {
	Packets        uint64 // sent
	PacketBytes    uint64 // of them
	PacketsLost    uint64 // of them, by loss, a cut, a pause or because nobody listens
	PacketsDropped uint64 // of them, because the receiver's queue was full
	Dials          uint64 // streams that were opened
	StreamBytes    uint64 // sent over streams
}

// counters are kept per name, across the lives of a host.
type counters struct {
	packets, packetBytes, lost, dropped, dials, streamBytes atomic.Uint64
}

func (c *counters) snapshot() Stats {
	return Stats{
		Packets:        c.packets.Load(),
		PacketBytes:    c.packetBytes.Load(),
		PacketsLost:    c.lost.Load(),
		PacketsDropped: c.dropped.Load(),
		Dials:          c.dials.Load(),
		StreamBytes:    c.streamBytes.Load(),
	}
}
