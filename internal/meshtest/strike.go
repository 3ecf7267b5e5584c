package meshtest

import "github.com/praveenduddu/cachemesh/internal/seam"

// What can be done to members, by their numbers. Net's faults last until its Heal.

// CutLink cuts the link between two members both ways. The others reach both, so
// gossip goes on.
func (m *Mesh) CutLink(a, b int) { m.Net.CutLink(HostName(a), HostName(b)) }

// CutOff cuts every link of a member to others, which need not have started.
func (m *Mesh) CutOff(i int, others ...int) {
	for _, j := range others {
		m.CutLink(i, j)
	}
}

// LoseStreams makes the streams between a member and others stall, while packets
// pass: gossip finds it well, and nobody can call it, nor can it call anybody.
func (m *Mesh) LoseStreams(i int, others ...int) {
	for _, j := range others {
		m.Net.CutStreams(HostName(i), HostName(j))
		m.Net.CutStreams(HostName(j), HostName(i))
	}
}

// RefuseStreams makes a member refuse what others dial, and resets what they have
// open there. Packets pass.
func (m *Mesh) RefuseStreams(i int, others ...int) {
	for _, j := range others {
		m.Net.RefuseStreams(HostName(j), HostName(i))
	}
}

// HangUp makes a member close what others dial as soon as it is open, and resets
// what they have open there: its table of connections is full. Packets pass.
func (m *Mesh) HangUp(i int, others ...int) {
	for _, j := range others {
		m.Net.HangUp(HostName(j), HostName(i))
		m.Net.ResetStreams(HostName(j), HostName(i))
	}
}

// Suspend makes member i look suspended, to others and to itself: its network stands
// still and so do its clocks, until Wake. Its goroutines run on, and its timers: who
// uses it must not.
func (m *Mesh) Suspend(i int) {
	m.clock(i).Suspend()
	m.Net.Pause(HostName(i))
}

// Wake ends Suspend.
func (m *Mesh) Wake(i int) {
	m.clock(i).Wake()
	m.Net.Resume(HostName(i))
}

func (m *Mesh) clock(i int) *seam.Clock {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.clocks[HostName(i)]
}

// SetClock keeps the clock of the network's member.
func (n network) SetClock(c *seam.Clock) { n.onClock(n.Name(), c) }
