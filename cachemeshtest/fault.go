package cachemeshtest

import "time"

// Partition cuts the network between groups of members, both ways; members in no
// group make one of their own. Packets are lost and connections stall, as they do
// behind a firewall that says nothing. It replaces an earlier partition.
func (c *Cluster) Partition(groups ...[]int) {
	names := make([][]string, len(groups))
	for g, members := range groups {
		for _, i := range members {
			names[g] = append(names[g], memberName(i))
		}
	}
	c.net.Partition(names...)
	c.setSides(groups)
}

// Heal ends the partition. Connections go on where they stalled.
func (c *Cluster) Heal() {
	c.net.Heal()
	c.setSides(nil)
}

func (c *Cluster) setSides(groups [][]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.members {
		m.side = 0
	}
	for g, members := range groups {
		for _, i := range members {
			c.members[i].side = g + 1
		}
	}
}

// Pause makes member i look suspended to the others: its connections stay open,
// and nothing comes or goes. What its own callers ask of it still runs.
func (c *Cluster) Pause(i int) { c.setPaused(i, true) }

// Resume ends Pause. What was on its way is delivered.
func (c *Cluster) Resume(i int) { c.setPaused(i, false) }

func (c *Cluster) setPaused(i int, paused bool) {
	c.mu.Lock()
	m := c.members[i]
	m.paused = paused && m.running
	c.mu.Unlock()
	if paused {
		c.net.Pause(m.name)
	} else {
		c.net.Resume(m.name)
	}
}

// SetLatency makes everything that members send to each other take from min to
// max. The default is none.
func (c *Cluster) SetLatency(min, max time.Duration) { c.net.SetLatency(min, max) }
