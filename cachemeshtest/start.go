package cachemeshtest

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/praveenduddu/cachemesh"
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
	addr := net.JoinHostPort(c.net.Host(name).IP().String(), port)
	c.members = append(c.members, &member{name: name, addr: addr})
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
	errs := make([]error, len(which))
	var wg sync.WaitGroup
	for k, n := range nodes {
		wg.Go(func() {
			c.mark.do(func() {
				if err := n.Start(); err != nil {
					errs[k] = fmt.Errorf("cachemeshtest: member %d: %w", which[k], err)
				}
			})
		})
	}
	wg.Wait()
	return errors.Join(errs...)
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
	}
	o.Name, o.ListenAddr, o.AdvertiseAddr = m.name, m.addr, ""
	o.BootstrapNodes, o.Network = seeds, c.net.Host(m.name)
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
