package cachemeshtest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/members"
)

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// place makes room for one more member and returns its number.
func (c *Cluster) place() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := len(c.members)
	name := memberName(i)
	c.members = append(c.members, &member{name: name, addr: members.Addr(c.net, name)})
	return i
}

func memberName(i int) string { return "member-" + strconv.Itoa(i) }

// start binds the nodes of members first and then starts them side by side, so
// that each finds the others.
func (c *Cluster) start(which []int) error {
	c.starting.Lock()
	defer c.starting.Unlock()
	nodes := make([]*cachemesh.Node, len(which))
	for k, i := range which {
		n, err := c.bind(i, which)
		if err != nil {
			return fmt.Errorf("cachemeshtest: member %d: %w", i, err)
		}
		nodes[k] = n
	}
	return members.Start(len(nodes), func(k int) (err error) {
		c.mark.do(func() {
			if err = nodes[k].Start(); err != nil {
				err = fmt.Errorf("cachemeshtest: member %d: %w", which[k], err)
			}
		})
		return err
	})
}

// bind makes the node of member i and registers the groups with it. starting is
// held.
func (c *Cluster) bind(i int, which []int) (n *cachemesh.Node, err error) {
	c.mu.Lock()
	m := c.members[i]
	o := cachemesh.Options{}
	seeds := c.seedsLocked(i, which)
	groups := slices.Clone(c.register)
	if m.running {
		c.mu.Unlock()
		return nil, errors.New("it is running")
	}
	c.mu.Unlock()

	for _, edit := range c.opts {
		edit(i, &o)
		if h, ok := o.Network.(*onNode); ok {
			groups = append(groups, h.call)
			o.Network = nil
		}
	}
	members.Place(&o, c.net, m.name)
	o.Name, o.AdvertiseAddr, o.BootstrapNodes = m.name, "", seeds
	c.mark.do(func() { n, err = cachemesh.New(o) })
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	m.node, m.running, m.paused = n, true, false
	c.mu.Unlock()
	for _, register := range groups {
		c.mark.do(func() { err = register(i, n) })
		if err != nil {
			return nil, err
		}
	}
	return n, nil
}

// An onNode is how OnNode's function comes to bind: as the Network, which is the cluster's own.
type onNode struct {
	cachemesh.Network
	call func(i int, n *cachemesh.Node) error
}

// OnNode returns an Option by which f is called with each node, that of member i, before it starts: New,
// Add and Restart call it, so that what your service does with a node, as registering its groups, is
// done as in production. An error ends the test. It is called from one goroutine at a time.
func OnNode(f func(i int, n *cachemesh.Node) error) Option {
	return func(_ int, o *cachemesh.Options) { o.Network = &onNode{call: f} }
}

// seedsLocked returns whom member i asks to join: some that run, or that are
// about to.
func (c *Cluster) seedsLocked(i int, which []int) []string {
	var seeds []string
	for j, m := range c.members {
		if j != i && len(seeds) < maxSeeds && (m.running || slices.Contains(which, j)) {
			seeds = append(seeds, m.addr)
		}
	}
	return seeds
}
