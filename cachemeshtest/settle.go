package cachemeshtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/meshtest/await"
)

const settlePoll = 5 * time.Millisecond

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
	if await.Until(ctx, settlePoll, func() bool { return allRight(c.views()) }) != nil {
		return notSettled(ctx, c.views())
	}
	return nil
}

// seen is what one member sees and should see.
type seen struct {
	member    int
	got, want []string
	settled   bool   // everyone in its view acts by that view
	mode      string // see cachemesh.NodeStats
}

func (v seen) right() bool { return v.settled && slices.Equal(v.got, v.want) }

func allRight(views []seen) bool {
	return !slices.ContainsFunc(views, func(v seen) bool { return !v.right() })
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
		stats := m.node.Stats()
		v := seen{member: i, settled: stats.Settled, mode: stats.Mode}
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
		// The member may have adopted a view between the two looks: then they are of two.
		v.settled = v.settled && m.node.Stats().Epoch == stats.Epoch
		slices.Sort(v.want)
		views = append(views, v)
	}
	return views
}

func notSettled(ctx context.Context, views []seen) error {
	var b strings.Builder
	for _, v := range views {
		fmt.Fprintf(&b, "\n\tmember %d sees %s", v.member, strings.Join(v.got, ", "))
		if !v.settled {
			fmt.Fprintf(&b, " (not settled, %s)", v.mode)
		}
		if !slices.Equal(v.got, v.want) {
			fmt.Fprintf(&b, ", should see %s", strings.Join(v.want, ", "))
		}
	}
	return fmt.Errorf("cachemeshtest: the members did not settle: %w%s", context.Cause(ctx), b.String())
}
