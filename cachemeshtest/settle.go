package cachemeshtest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// Probing is how Settle learns that the members agree: a write is answered only
// once nobody can serve its key by an older view.
const (
	probeGroup = "cachemeshtest probe"
	probeKeys  = 512 // enough to meet the keys that each member gained
	probeBytes = 1 << 20
	settlePoll = 5 * time.Millisecond
)

// Settle waits until every running member sees exactly the members that it can
// reach, and all of them agree, so that each key has one owner and nobody acts
// on an older view. Paused members are not waited for, and the others see that
// they are gone; each side of a partition settles for itself. Call it after a
// fault or its end. It ends the test, with what each member sees, if that takes
// longer than 30 s.
func (c *Cluster) Settle() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleLimit)
	defer cancel()
	if err := c.WaitSettled(ctx); err != nil {
		c.t.Fatal(err)
	}
}

// WaitSettled is Settle with a limit of your own and an error in place of the
// test's end.
func (c *Cluster) WaitSettled(ctx context.Context) error {
	tick := time.NewTicker(settlePoll)
	defer tick.Stop()
	for {
		var err error
		if views := c.views(); allRight(views) {
			if err = c.probe(ctx, views); err == nil && allRight(c.views()) {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return notSettled(ctx, c.views(), err)
		}
	}
}

// seen is what one member sees and should see.
type seen struct {
	member    int
	node      *cachemesh.Node
	got, want []string
}

func allRight(views []seen) bool {
	return !slices.ContainsFunc(views, func(v seen) bool { return !slices.Equal(v.got, v.want) })
}

// views returns what each member sees that runs and is not paused.
func (c *Cluster) views() []seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	var views []seen
	for i, m := range c.members {
		if !m.running || m.paused {
			continue
		}
		v := seen{member: i, node: m.node}
		for _, other := range m.node.Members() {
			name := other.Name
			if other.Leaving {
				name += " (leaving)"
			}
			v.got = append(v.got, name)
		}
		for _, other := range c.members {
			if other.running && !other.paused && other.side == m.side {
				v.want = append(v.want, other.name)
			}
		}
		slices.Sort(v.want)
		views = append(views, v)
	}
	return views
}

func notSettled(ctx context.Context, views []seen, err error) error {
	var b strings.Builder
	for _, v := range views {
		fmt.Fprintf(&b, "\n\tmember %d sees %s", v.member, strings.Join(v.got, ", "))
		if !slices.Equal(v.got, v.want) {
			fmt.Fprintf(&b, ", should see %s", strings.Join(v.want, ", "))
		}
	}
	if err != nil {
		fmt.Fprintf(&b, "\n\tthey do not agree: %v", err)
	}
	return fmt.Errorf("cachemeshtest: the members did not settle: %w%s", context.Cause(ctx), b.String())
}

// probe deletes keys that do not exist, spread over all members of each side.
func (c *Cluster) probe(ctx context.Context, views []seen) error {
	keys := make([]string, probeKeys)
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	var asked []string // the members of each side that was probed
	for _, v := range views {
		side := strings.Join(v.want, " ")
		if slices.Contains(asked, side) {
			continue
		}
		asked = append(asked, side)
		if err := c.probes(v.member).Delete(ctx, keys...); err != nil {
			return err
		}
	}
	return nil
}

// addProbe registers the group that Settle probes with.
func (c *Cluster) addProbe() {
	c.probes = Group[[]byte](c, probeGroup, nil, cachemesh.GroupOptions[[]byte]{MaxBytes: probeBytes})
}
