// Package members is what every mesh of tests is built of: where a member is on the network in
// memory, how members start so that each finds the others, and what they see of each other.
// kit, meshtest and cachemeshtest stand on it; what a mesh is beyond that, they say.
package members

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/meshtest/await"
)

// port is where every member listens: each has an address of its own.
const port = "3000"

// poll is how often members are looked at.
const poll = time.Millisecond

// Addr returns the address of the member on a host, which is made if there is none.
func Addr(n *memnet.Network, host string) string {
	return net.JoinHostPort(n.Host(host).IP().String(), port)
}

// Place lets the options be those of the member on a host.
func Place(o *cachemesh.Options, n *memnet.Network, host string) {
	o.ListenAddr, o.Network = Addr(n, host), n.Host(host)
}

// Start starts so many members side by side, so that each finds the others, and returns once
// each start has. It joins their errors.
func Start(n int, start func(i int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = start(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// See reports whether a node sees exactly the members of these names, in whatever order.
func See(n *cachemesh.Node, names []string) bool {
	seen := n.Members() // sorted
	return slices.EqualFunc(seen, slices.Sorted(slices.Values(names)), func(m cachemesh.Member, name string) bool { return m.Name == name })
}

// Settled reports whether a node sees so many members and knows that all act by that.
func Settled(n *cachemesh.Node, members int) bool {
	s := n.Stats()
	return s.Settled && s.Members == members
}

// AwaitSettled waits until Settled. Its error is ctx's.
func AwaitSettled(ctx context.Context, n *cachemesh.Node, members int) error {
	return await.Until(ctx, poll, func() bool { return Settled(n, members) })
}
