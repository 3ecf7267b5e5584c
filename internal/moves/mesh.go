package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/ring"
)

const (
	groupName    = "numbers"
	bytesAValue  = 640         // of MaxBytes: nothing must be evicted
	keysAtOnce   = 5000        // in one GetMany
	settleWithin = time.Minute // after the last value moved
	lookWithin   = time.Minute // for one GetMany: a member that vanished may be in its way
)

// A mesh is a few members in this process.
type mesh struct {
	values int

	replicas int // of each value
	log      *slog.Logger
	say      report
	members  map[string]*member
}

type member struct {
	node  *cachemesh.Node
	group *cachemesh.Group[int64]
}

func key(i int) string { return fmt.Sprintf("k%07d", i) }

// join starts a member that others know by a name.
func (m *mesh) join(name string) error {
	o := cachemesh.Options{Name: name, Logger: m.log}
	for _, other := range m.members {
		o.BootstrapNodes = append(o.BootstrapNodes, other.node.Addr())
	}
	n, err := cachemesh.New(o)
	if err != nil {
		return err
	}
	if m.members == nil {
		m.members = make(map[string]*member)
	}
	g, err := cachemesh.NewGroup[int64](n, groupName, nil, cachemesh.GroupOptions[int64]{Replicas: m.replicas, MaxBytes: int64(m.values)*bytesAValue + 64<<20})
	m.members[name] = &member{n, g}
	return errors.Join(err, n.Start())
}

func (m *mesh) close() {
	for _, x := range m.members {
		x.node.Close()
	}
}

// fill sets all values, on the one member that there is.
func (m *mesh) fill() error {
	const writers = 4
	var all sync.WaitGroup
	errs := make([]error, writers)
	for _, x := range m.members {
		for w := range writers {
			all.Go(func() {
				for i := w; i < m.values && errs[w] == nil; i += writers {
					errs[w] = x.group.Set(context.Background(), key(i), int64(i), 0)
				}
			})
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// settle waits until every member agrees that there are this many. As long as values
// move it waits for that.
func (m *mesh) settle(members int) error {
	entries, end := int64(0), time.Now().Add(settleWithin)
	for ; ; time.Sleep(time.Millisecond) {
		settled, now := true, int64(0)
		for _, x := range m.members {
			s := x.node.Stats()
			g := x.group.Stats()
			settled = settled && s.Settled && s.Members == members && g.Lacking+g.Hidden == 0
			now = 31*now + g.Entries + int64(g.Repaired)
		}
		if now != entries {
			entries, end = now, time.Now().Add(settleWithin)
		}
		switch {
		case settled:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("the members do not agree that they are %d", members)
		}
	}
}

// owned counts the keys that a member owns beside another.
func (m *mesh) owned(who, other string) (n int) {
	owns := owner(who, other)
	for i := range m.values {
		if owns(key(i)) == who {
			n++
		}
	}
	return n
}

// owner returns what says who of two members owns a key.
func owner(one, two string) func(key string) string {
	r, seed := ring.New([]string{one, two}), ring.Seed(groupName)
	return func(key string) string { return r.Members()[r.Owner(ring.Hash(seed, key))] }
}

// missing counts the values that a member cannot get, and what it gets instead.
func (m *mesh) missing(who string) (missing int, err error) {
	const readers = 2
	var all sync.WaitGroup
	var lost atomic.Int64
	errs := make([]error, readers)
	for r := range readers {
		all.Go(func() {
			for from := r * keysAtOnce; from < m.values && errs[r] == nil; from += readers * keysAtOnce {
				var n int
				n, errs[r] = m.look(who, from, min(from+keysAtOnce, m.values))
				lost.Add(int64(n))
			}
		})
	}
	all.Wait()
	return int(lost.Load()), errors.Join(errs...)
}

// look counts those of some values that a member cannot get.
func (m *mesh) look(who string, from, to int) (missing int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	defer cancel()
	keys := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		keys = append(keys, key(i))
	}
	got, err := m.members[who].group.GetMany(ctx, keys)
	if err != nil {
		return 0, err
	}
	for i := from; i < to; i++ {
		switch v, ok := got[key(i)]; {
		case !ok:
			missing++
		case v != int64(i):
			return missing, errors.New("key " + strconv.Itoa(i) + " has the value of another")
		}
	}
	return missing, nil
}
