package meshtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/meshtest/await"
)

// A Stage is a mesh whose members have two groups, one with a loader and one
// without, in front of one origin. Members come and go.
type Stage struct {
	*Mesh
	Origin *Origin
	Began  time.Time

	mu     sync.Mutex // guards the fields below
	rows   []*cachemesh.Group[int]
	values []*cachemesh.Group[int]
	down   []bool
	trace  []memnet.Event
}

// Names of the groups.
const (
	rowsGroup   = "rows"   // it loads
	valuesGroup = "values" // it does not
)

// NewStage starts a mesh and waits until all its members see each other.
func NewStage(ctx context.Context, cfg Config) (*Stage, error) {
	s := &Stage{Mesh: New(cfg), Origin: NewOrigin(), Began: time.Now()}
	s.Net.Trace(func(e memnet.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.trace = append(s.trace, e)
	})
	if err := s.Start(s.setUp); err != nil {
		return nil, errors.Join(err, s.end())
	}
	all := make([]int, cfg.Members)
	for i := range all {
		all[i] = i
	}
	if err := s.Settle(ctx, all...); err != nil {
		return nil, errors.Join(err, s.end())
	}
	return s, nil
}

func (s *Stage) end() error { s.Close(); return nil }

func (s *Stage) setUp(i int, n *cachemesh.Node) error {
	rows, err := cachemesh.NewGroup(n, rowsGroup, s.Origin.Load, cachemesh.GroupOptions[int]{HotReads: s.cfg.HotReads})
	if err != nil {
		return err
	}
	values, err := cachemesh.NewGroup[int](n, valuesGroup, nil, cachemesh.GroupOptions[int]{HotReads: s.cfg.HotReads, Replicas: max(s.cfg.Replicas, 1), Tags: s.cfg.Tags})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.rows) <= i {
		s.rows, s.values, s.down = append(s.rows, nil), append(s.values, nil), append(s.down, true)
	}
	s.rows[i], s.values[i] = rows, values
	return nil
}

// Rows returns the loading group of member i, nil while it is down.
func (s *Stage) Rows(i int) *cachemesh.Group[int] { return s.group(&s.rows, i) }

// Values returns the group without a loader of member i, nil while it is down.
func (s *Stage) Values(i int) *cachemesh.Group[int] { return s.group(&s.values, i) }

func (s *Stage) group(groups *[]*cachemesh.Group[int], i int) *cachemesh.Group[int] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i >= len(*groups) || s.down[i] {
		return nil
	}
	return (*groups)[i]
}

func (s *Stage) setDown(i int, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down[i] = down
}

// Start starts the members.
func (s *Stage) Start(setup func(int, *cachemesh.Node) error) error {
	err := s.Mesh.Start(setup)
	for i := range s.down {
		s.setDown(i, false)
	}
	return err
}

// Join starts member i, a new one or one that is down.
func (s *Stage) Join(i int) error {
	if err := s.StartMember(i); err != nil {
		return fmt.Errorf("starting member %d: %w", i, err)
	}
	s.setDown(i, false)
	return nil
}

// Crash kills member i.
func (s *Stage) Crash(i int) {
	s.setDown(i, true)
	s.Kill(i)
}

// Leave takes member i out of the mesh in order.
func (s *Stage) Leave(ctx context.Context, i int) error {
	s.setDown(i, true)
	if err := s.Node(i).Shutdown(ctx); err != nil {
		return fmt.Errorf("shutting member %d down: %w", i, err)
	}
	return nil
}

// Settle waits until these members see exactly each other, and all of them act by
// that view, as a majority or not.
func (s *Stage) Settle(ctx context.Context, which ...int) error {
	if err := s.AwaitMembers(ctx, which...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, agreement)
	defer cancel()
	for _, i := range which {
		if err := await.Until(ctx, poll, func() bool { return s.Node(i).Stats().Settled }); err != nil {
			return fmt.Errorf("member %d has not settled: %+v: %w", i, s.Node(i).Stats(), err)
		}
	}
	return nil
}

// Trace returns the faults so far, one per line.
func (s *Stage) Trace() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := ""
	for _, e := range s.trace {
		text += e.String() + "\n"
	}
	return text
}

// Fill gives every key of the traffic its first version.
func (tr *Traffic) Fill(ctx context.Context) error {
	for _, key := range tr.Keys {
		began := tr.Ledger.Begin()
		if tr.Origin != nil {
			tr.Origin.Write(key, 1)
		}
		if err := tr.Group(0).Set(ctx, key, 1, 0); err != nil {
			return err
		}
		tr.Ledger.Wrote(began, key, 1)
	}
	return nil
}
