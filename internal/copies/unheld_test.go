package copies_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A limit is what makes a member small.
type limit struct {
	name  string
	value int                      // bytes that a small member does not take, and others do
	node  func(*cachemesh.Options) // makes its node so
	group func(max *int64)         // makes its group so
	says  string                   // what the error names
}

var limits = []limit{
	{"MaxBytes", 600 << 10, nil, func(max *int64) { *max = 1 << 20 }, "GroupOptions.MaxBytes"},
	{"MaxValueBytes", 600 << 10, func(o *cachemesh.Options) { o.MaxValueBytes = 64 << 10 }, nil, "Options.MaxValueBytes"},
	{"the wire", 3 << 20, func(o *cachemesh.Options) { o.MaxValueBytes = 64 << 10 }, nil, "Options.MaxValueBytes"},
}

// unequal returns a mesh of which some members are small, and its groups.
func unequal(t *testing.T, l limit, members int, o cachemesh.GroupOptions[string], small ...int) (*kit.Mesh, []*cachemesh.Group[string]) {
	isSmall := func(i int) bool {
		for _, s := range small {
			if s == i {
				return true
			}
		}
		return false
	}
	m := kit.New(t, members, func(i int, no *cachemesh.Options) {
		if l.node != nil && isSmall(i) {
			l.node(no)
		}
	})
	o.MaxBytes = 256 << 20
	var groups []*cachemesh.Group[string]
	for i, n := range m.Nodes {
		own := o
		if l.group != nil && isSmall(i) {
			l.group(&own.MaxBytes)
		}
		g, err := cachemesh.NewGroup(n, "g", nil, own)
		kit.Must(t, err)
		groups = append(groups, g)
	}
	time.Sleep(3 * time.Second) // all have told the others that they have the group
	return m, groups
}

// eachLimit runs a test with each limit.
func eachLimit(t *testing.T, test func(t *testing.T, ctx context.Context, l limit)) {
	for _, l := range limits {
		t.Run(l.name, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) { test(t, ctx, l) })
		})
	}
}

// within wants that something takes no longer than a time, and returns its error.
func within(t *testing.T, d time.Duration, what string, f func() error) error {
	t.Helper()
	start := time.Now()
	err := f()
	if took := time.Since(start); took > d {
		t.Errorf("%s took %v", what, took)
	}
	return err
}

// TestTooLargeForTheOnlyOther: as many copies as there can be is one, and at once; what was there before
// does not come back when the owner crashes.
func TestTooLargeForTheOnlyOther(t *testing.T) {
	eachLimit(t, func(t *testing.T, ctx context.Context, l limit) {
		m, groups := unequal(t, l, 2, cachemesh.GroupOptions[string]{Replicas: 2, FewerReplicas: true, NoHotCopies: true}, 1)
		keys, large := m.KeysOf("g", 0, 2), strings.Repeat("x", l.value)
		kit.Must(t, groups[1].Set(ctx, keys[0], "small", 0))
		for _, key := range keys {
			kit.Must(t, within(t, 10*time.Millisecond, "a Set", func() error { return groups[0].Set(ctx, key, large, 0) }))
			kit.MustGet(t, groups[0], key, large)
		}
		if n := groups[0].Stats().Lacking; n > 0 {
			t.Errorf("%d values lack copies, where there can be no more", n)
		}
		kit.Must(t, within(t, 10*time.Millisecond, "a Set of another key", func() error { return groups[0].Set(ctx, "other", "small", 0) }))
		m.Kill(0)
		m.Settle(1)
		for _, key := range keys {
			kit.WantNotFound(t, groups[1], key)
		}
		kit.MustGet(t, groups[1], "other", "small")
		kit.Must(t, groups[1].Set(ctx, keys[0], "anew", 0))
	})
}

// TestTooLargeForACopy: with as many copies as were asked for the Set is refused, at once, by an error that
// says who cannot hold it; and nothing has changed, however many could.
func TestTooLargeForACopy(t *testing.T) {
	for copies := 2; copies <= 3; copies++ {
		for smalls := 1; smalls <= 2; smalls++ {
			t.Run(fmt.Sprintf("copies=%d/small=%d", copies, smalls), func(t *testing.T) {
				eachLimit(t, func(t *testing.T, ctx context.Context, l limit) { tooLargeForACopy(t, ctx, l, copies, smalls) })
			})
		}
	}
}

func tooLargeForACopy(t *testing.T, ctx context.Context, l limit, copies, smalls int) {
	members := copies + smalls - 1
	small := []int{1, 2}[:smalls]
	m, groups := unequal(t, l, members, cachemesh.GroupOptions[string]{Replicas: copies, NoHotCopies: true}, small...)
	keys, large := m.KeysOf("g", 0, 2), strings.Repeat("x", l.value)
	kit.Must(t, groups[1].Set(ctx, keys[0], "small", 0))
	for _, key := range keys {
		err := within(t, 20*time.Millisecond, "the Set", func() error { return groups[0].Set(ctx, key, large, 0) })
		pe, _ := errors.AsType[*cachemesh.PeerError](err)
		if !errors.Is(err, cachemesh.ErrTooLarge) || pe != nil && pe.MaybeApplied {
			t.Fatalf("Set = %v, want ErrTooLarge", err)
		}
		if text := err.Error(); !strings.Contains(text, l.says) || !strings.Contains(text, "node1") && !strings.Contains(text, "node2") {
			t.Errorf("Set = %v", err)
		}
	}
	for _, g := range groups {
		kit.MustGet(t, g, keys[0], "small")
		kit.WantNotFound(t, g, keys[1])
	}
	awaitQuiet(t, ctx, groups)
	m.Kill(0)
	m.Settle(members - 1)
	for _, g := range groups[1:] {
		kit.MustGet(t, g, keys[0], "small")
		kit.WantNotFound(t, g, keys[1])
	}
}

// awaitQuiet waits until no value lacks copies.
func awaitQuiet(t *testing.T, ctx context.Context, groups []*cachemesh.Group[string]) {
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
		t.Fatal("values lack copies")
	}
}

// TestTooLargeForTheNext: another member has the copy in the place of one that cannot hold it.
func TestTooLargeForTheNext(t *testing.T) {
	eachLimit(t, func(t *testing.T, ctx context.Context, l limit) {
		m, groups := unequal(t, l, 3, cachemesh.GroupOptions[string]{Replicas: 2, NoHotCopies: true}, 1)
		keys, large := m.KeysOf("g", 0, 20), strings.Repeat("x", l.value)
		for _, key := range keys {
			kit.Must(t, groups[0].Set(ctx, key, "small", 0))
			kit.Must(t, within(t, 20*time.Millisecond, "a Set", func() error { return groups[0].Set(ctx, key, large, 0) }))
		}
		awaitQuiet(t, ctx, groups)
		m.Kill(0)
		m.Settle(2)
		kept := 0
		for _, key := range keys {
			v, err := groups[2].Get(ctx, key)
			switch {
			case err == nil && v == large:
				kept++
			case m.Owner("g", key) == 1 && (errors.Is(err, cachemesh.ErrNotFound) || errors.Is(err, cachemesh.ErrTooLarge)):
			default:
				t.Errorf("Get = %.10q, %v at node%d", v, err, m.Owner("g", key))
			}
		}
		if kept == 0 {
			t.Error("no key went to a member that can hold it: nothing is tested")
		}
		t.Logf("%d of %d values are kept", kept, len(keys))
		for _, key := range keys {
			kit.Must(t, groups[2].Set(ctx, key, "anew", 0))
		}
	})
}

// TestManyLargeValuesAreFetched: a member that starts anew fetches what it owns, though all of it is more
// than one answer may be.
func TestManyLargeValuesAreFetched(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		small := func(_ int, o *cachemesh.Options) { o.MaxValueBytes = 64 << 10 } // so an answer is 1 MiB and a bit
		m := kit.New(t, 3, small)
		two := cachemesh.GroupOptions[string]{Replicas: 2, NoHotCopies: true}
		groups := kit.GroupOn(m, "g", nil, two)
		time.Sleep(time.Second)
		keys, value := m.KeysOf("g", 2, 200), strings.Repeat("x", 60<<10)
		for _, key := range keys {
			kit.Must(t, groups[0].Set(ctx, key, value, 0))
		}
		m.Kill(2)
		m.Settle(2)
		awaitQuiet(t, ctx, groups[:2])
		m.Nodes[2] = m.NewNode(2, small)
		g, err := cachemesh.NewGroup(m.Nodes[2], "g", nil, two)
		kit.Must(t, err)
		groups[2] = g
		kit.Must(t, m.Nodes[2].Start())
		m.Settle(3)
		kit.Must(t, within(t, 3*time.Second, "fetching", func() error { awaitQuiet(t, ctx, groups); return nil }))
		if calls := g.Stats().PeerCalls; calls > uint64(len(keys)) {
			t.Errorf("%d calls to fetch %d values", calls, len(keys))
		}
		for _, key := range keys {
			kit.MustGet(t, g, key, value)
		}
	})
}
