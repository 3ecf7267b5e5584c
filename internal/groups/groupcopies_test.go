package groups_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

var twoCopies = cachemesh.GroupOptions[int]{Replicas: 2}

// twoOrFewer are two where two members have the group.
var twoOrFewer = cachemesh.GroupOptions[int]{Replicas: 2, FewerReplicas: true}

// copiesOn registers a group with two copies on one node.
func copiesOn(t *testing.T, m *kit.Mesh, i int) *cachemesh.Group[int] {
	t.Helper()
	g, err := cachemesh.NewGroup[int](m.Nodes[i], "g", nil, twoCopies)
	kit.Must(t, err)
	return g
}

// awaitCopies waits until all values of these groups have their copies, and nothing is left to do.
func awaitCopies(t *testing.T, ctx context.Context, groups ...*cachemesh.Group[int]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, kit.Patience)
	defer cancel()
	if err := kit.Until(ctx, func() bool {
		lack := int64(0)
		for _, g := range groups {
			lack += g.Stats().Lacking + g.Stats().Hidden
		}
		return lack == 0
	}); err != nil {
		for i, g := range groups {
			t.Errorf("group %d: %+v", i, g.Stats())
		}
		t.Fatal("values lack copies")
	}
}

// A Set for which there are not as many members as it shall have copies, because others have not
// registered the group, is refused, and soon; and goes through once they have.
func TestSetWithoutEnoughMembersOfTheGroup(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		g := copiesOn(t, m, 0)
		key := m.KeyOf("g", 0)
		for i, want := range []time.Duration{3 * time.Second, 0} {
			began := time.Now()
			err := g.Set(ctx, key, 1, 0)
			pe, _ := errors.AsType[*cachemesh.PeerError](err)
			if !errors.Is(err, cachemesh.ErrFewCopies) || pe != nil && pe.MaybeApplied {
				t.Errorf("Set %d: %v, want ErrFewCopies, and that nothing was changed", i, err)
			}
			if took := time.Since(began); took > want {
				t.Errorf("it took %v", took)
			}
			kit.WantNotFound(t, g, key)
		}
		if g.Stats().Lacking == 0 {
			t.Error("Lacking is 0 where nothing can have its copies")
		}
		other := copiesOn(t, m, 1)
		awaitCopies(t, ctx, g)
		kit.Must(t, g.Set(ctx, key, 2, 0))
		awaitCopies(t, ctx, g, other)
		m.Kill(1)
		kit.MustGet(t, g, key, 2)
	})
}

// A Set waits for members that register the group a moment after they started.
func TestSetBeforeOthersHaveRegistered(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		g := copiesOn(t, m, 0)
		set := make(chan error, 1)
		go func() { set <- g.Set(ctx, m.KeyOf("g", 0), 1, 0) }()
		time.Sleep(time.Second)
		copiesOn(t, m, 1)
		kit.Must(t, <-set)
	})
}

// setAll sets each key to its number through some of the groups.
func setAll(t *testing.T, ctx context.Context, keys []string, groups ...*cachemesh.Group[int]) {
	t.Helper()
	for n, key := range keys {
		kit.Must(t, groups[n%len(groups)].Set(ctx, key, n, 0))
	}
}

// A member without the group takes no copies: others do, and a member that registers it later
// comes to have those that the ring says. Nothing is left to do then.
func TestCopiesBesideAMemberWithoutTheGroup(t *testing.T) {
	for crashed := range 3 {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			m := kit.New(t, 4)
			groups := []*cachemesh.Group[int]{copiesOn(t, m, 0), copiesOn(t, m, 1), copiesOn(t, m, 2)}
			keys := slices.Concat(m.KeysOf("g", 0, 20), m.KeysOf("g", 1, 20), m.KeysOf("g", 2, 20))
			setAll(t, ctx, keys, groups...)
			awaitCopies(t, ctx, groups...)
			if crashed == 0 { // while the fourth has none
				groups = append(groups, groups[1])
			} else {
				groups = append(groups, copiesOn(t, m, 3))
				time.Sleep(time.Second)
				awaitCopies(t, ctx, groups...)
				if groups[3].Stats().Entries == 0 {
					t.Error("a member that registered the group has no copies")
				}
			}
			m.Kill(crashed)
			m.Settle(3)
			for n, key := range keys {
				if crashed > 0 || m.Owner("g", key) != 3 {
					kit.MustGet(t, groups[3], key, n)
				}
			}
		})
	}
}

// A group is closed on one member, and registered there again, on one after the other: nothing is
// lost, though a member crashes while it is closed on another.
func TestGroupWithCopiesIsClosedOnOneAfterTheOther(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 4)
		groups := kit.GroupOn(m, "g", nil, twoCopies)
		keys := kit.Numbered("k", 400)
		setAll(t, ctx, keys, groups...)
		for i := range groups {
			kit.Must(t, groups[i].Close(ctx))
			rest := slices.Delete(slices.Clone(groups), i, i+1)
			time.Sleep(time.Second)
			awaitCopies(t, ctx, rest...)
			for n, key := range keys {
				if m.Owner("g", key) != i {
					kit.MustGet(t, rest[0], key, n)
					if n%2 == 0 {
						kit.Must(t, rest[1].Set(ctx, key, n, 0))
					}
				}
			}
			groups[i] = copiesOn(t, m, i)
			time.Sleep(time.Second)
			awaitCopies(t, ctx, groups...)
		}
		kit.Must(t, groups[1].Close(ctx))
		time.Sleep(time.Second)
		awaitCopies(t, ctx, groups[0], groups[2], groups[3])
		lost := m.KeysOf("g", 1, 1) // an owner that has no group
		if err := groups[0].Set(ctx, lost[0], 1, 0); !errors.Is(err, cachemesh.ErrUnknownGroup) {
			t.Errorf("Set at an owner that has closed the group: %v", err)
		}
		owners := make([]int, len(keys))
		for n, key := range keys {
			owners[n] = m.Owner("g", key)
		}
		m.Kill(2)
		m.Settle(3)
		for n, key := range keys {
			if owners[n] != 1 && m.Owner("g", key) != 1 {
				kit.MustGet(t, groups[3], key, n)
			}
		}
	})
}

// A group is closed and registered again at once, by a part that holds nothing: others learn that
// its copies are gone, though nobody may have asked it in between.
func TestGroupWithCopiesIsReplacedAtOnce(t *testing.T) {
	for crashed := range 3 {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			m := kit.New(t, 4)
			groups := kit.GroupOn(m, "g", nil, twoCopies)
			keys := kit.Numbered("k", 200)
			setAll(t, ctx, keys, groups...)
			kit.Must(t, groups[3].Close(ctx))
			groups[3] = copiesOn(t, m, 3)
			time.Sleep(time.Second)
			awaitCopies(t, ctx, groups...)
			m.Kill(crashed)
			m.Settle(3)
			for n, key := range keys {
				kit.MustGet(t, groups[3], key, n)
			}
		})
	}
}

// A Clear, a DeletePrefix and a Delete where one member has not registered the group.
func TestClearBesideAMemberWithoutTheGroup(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 4)
		time.Sleep(3 * time.Second)
		groups := []*cachemesh.Group[int]{copiesOn(t, m, 0), copiesOn(t, m, 1), copiesOn(t, m, 2)}
		key := m.KeyOf("g", 0)
		for what, remove := range map[string]func() error{
			"Clear":        func() error { return groups[1].Clear(ctx) },
			"Delete":       func() error { return groups[1].Delete(ctx, key) },
			"DeletePrefix": func() error { return groups[1].DeletePrefix(ctx, key) },
		} {
			kit.Must(t, groups[0].Set(ctx, key, 1, 0))
			if err := remove(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			for _, g := range groups {
				kit.WantNotFound(t, g, key)
			}
		}
	})
}

// A group with FewerReplicas has two copies of each value, or one where nobody else has
// registered it; and a second one as soon as somebody has.
func TestCopiesThatNobodyAskedFor(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		g, err := cachemesh.NewGroup[int](m.Nodes[0], "g", nil, twoOrFewer)
		kit.Must(t, err)
		keys := m.KeysOf("g", 0, 20)
		began := time.Now()
		setAll(t, ctx, keys, g)
		if took := time.Since(began); took > 100*time.Millisecond || g.Stats().Lacking > 0 {
			t.Errorf("Sets took %v, %d values lack copies", took, g.Stats().Lacking)
		}
		other, err := cachemesh.NewGroup[int](m.Nodes[1], "g", nil, twoOrFewer)
		kit.Must(t, err)
		time.Sleep(time.Second)
		awaitCopies(t, ctx, g, other)
		if n := other.Stats().Entries; n != 20 {
			t.Errorf("the other has %d copies, want 20", n)
		}
	})
}

// Of two members one says one copy, the other two. What comes to the other by hand-over, or is
// kept there, is not lost; and it is said.
func TestMembersThatSayOtherReplicas(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		logs := new(kit.Log)
		m := kit.New(t, 2, func(i int, o *cachemesh.Options) {
			if i == 0 {
				o.Logger = logs.Logger()
			}
		})
		one, err := cachemesh.NewGroup[int](m.Nodes[0], "g", nil, cachemesh.GroupOptions[int]{Replicas: 1})
		kit.Must(t, err)
		more, err := cachemesh.NewGroup[int](m.Nodes[1], "g", nil, twoOrFewer)
		kit.Must(t, err)
		time.Sleep(time.Second)
		keys := kit.Numbered("k", 200)
		setAll(t, ctx, keys, one, more)
		if n := strings.Count(logs.String(), "Replicas must be the same"); n != 1 {
			t.Errorf("it is said %d times", n)
		}
		kit.Must(t, m.Nodes[0].Shutdown(ctx))
		m.Nodes[0] = nil
		m.Settle(1)
		for n, key := range keys {
			kit.MustGet(t, more, key, n)
		}
	})
}

// A group is closed on a member that alone has its values, and registered again: they are there.
func TestGroupOfOneMemberIsReplaced(t *testing.T) {
	for members := 1; members <= 2; members++ {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			m := kit.New(t, members)
			g, err := cachemesh.NewGroup[int](m.Nodes[0], "g", nil, twoOrFewer)
			kit.Must(t, err)
			keys := m.KeysOf("g", 0, 50)
			setAll(t, ctx, keys, g)
			kit.Must(t, g.Delete(ctx, keys[0]))
			kit.Must(t, g.Close(ctx))
			g, err = cachemesh.NewGroup[int](m.Nodes[0], "g", nil, twoOrFewer)
			kit.Must(t, err)
			kit.WantNotFound(t, g, keys[0])
			for n, key := range keys[1:] {
				kit.MustGet(t, g, key, n+1)
			}
		})
	}
}
