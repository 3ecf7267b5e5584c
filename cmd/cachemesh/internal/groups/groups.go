// Package groups is the groups of a member by their names: those that its configuration has,
// and those that are made when they are first used, if it allows that.
package groups

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
)

// A Group holds bytes.
type Group = cachemesh.Group[[]byte]

var (
	// ErrNone means that there is no group of a name, and none may be made.
	ErrNone = errors.New("this member has no such group")

	// ErrTooMany means that as many groups were made as may be.
	ErrTooMany = errors.New("this member has made as many groups as it may (other-groups-most)")
)

// A Set is the groups of a member. Its methods are called concurrently.
type Set struct {
	node   *cachemesh.Node
	others config.OtherGroups

	// Told is the configured groups' cachemesh.GroupOptions.OnInvalidate; nil: none. It is set before
	// they are made.
	Told func(group, key string)

	making sync.Mutex // held while a group is made, which calls no other member
	mu     sync.RWMutex
	byName map[string]*Group // guarded by mu
	made   int               // on first use; guarded by making
}

// New returns the groups of a node, none yet.
func New(node *cachemesh.Node, others config.OtherGroups) *Set {
	return &Set{node: node, others: others, byName: make(map[string]*Group)}
}

// Make makes a group as it is configured. Errors: those of cachemesh.NewGroup.
func (s *Set) Make(g config.Group) error {
	s.making.Lock()
	defer s.making.Unlock()
	made, err := newGroup(s.node, g, s.Told)
	if err == nil {
		s.Add(g.Name, made)
	}
	return err
}

// Add adds a group that is there.
func (s *Set) Add(name string, g *Group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byName[name] = g
}

// Get returns the group of a name, nil if there is none.
func (s *Set) Get(name string) *Group {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byName[name]
}

// Use is Get, and makes the group if it may. Errors: ErrNone, ErrTooMany, those of
// cachemesh.NewGroup.
func (s *Set) Use(name string) (*Group, error) {
	if g := s.Get(name); g != nil {
		return g, nil
	}
	if !s.others.Allow || name == "" || len(name) > cachemesh.MaxGroupLen {
		return nil, fmt.Errorf("%w: %.300q", ErrNone, name)
	}
	s.making.Lock()
	defer s.making.Unlock()
	if g := s.Get(name); g != nil {
		return g, nil
	}
	if s.made >= s.others.Most {
		return nil, fmt.Errorf("%w: %.300q", ErrTooMany, name)
	}
	g, err := newGroup(s.node, s.others.Group(name), nil)
	if err != nil {
		return nil, err
	}
	s.Add(name, g)
	s.made++
	return g, nil
}

// Names returns the names of all groups, sorted.
func (s *Set) Names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.byName))
}

func newGroup(n *cachemesh.Node, g config.Group, told func(group, key string)) (*Group, error) {
	var tell func(string)
	if told != nil {
		tell = func(key string) { told(g.Name, key) }
	}
	return cachemesh.NewGroup(n, g.Name, nil, cachemesh.GroupOptions[[]byte]{
		OnInvalidate: tell,
		MaxBytes:     int64(g.MaxBytes), TTL: g.TTL, NoHotCopies: g.NoHotCopies, Replicas: g.Replicas,
		Cache: g.Kind == config.Cache, NotFoundTTL: g.NotFoundTTL, StaleFor: g.StaleFor,
	})
}
