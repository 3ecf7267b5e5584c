package view

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// nowhere is a peer that is told apart by its address, and not called.
type nowhere string

func (nowhere) Call(context.Context, *httppool.Request, *httppool.Response) error { return nil }

// members are those named, sorted by ID; a minus is leaving.
func members(names string) (list []quorum.Member) {
	for _, name := range strings.Fields(names) {
		bare := strings.TrimPrefix(name, "-")
		list = append(list, quorum.Member{ID: bare + "#1", Name: bare, Addr: bare + ":1", Life: 1, Leaving: bare != name})
	}
	slices.SortFunc(list, func(a, b quorum.Member) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// viewOf is a view of "a".
func viewOf(old *View, names string) *View {
	return New(members(names), old, "a#1", func(addr string) wire.Peer { return nowhere(addr) }, false)
}

// key is one that a member owns in all the views.
func key(t testing.TB, owner string, views ...*View) uint64 {
	t.Helper()
	for hash := uint64(1); hash < 1<<40; hash *= 3 {
		for k := range uint64(500) {
			h := (hash + k) * 0x9E3779B97F4A7C15
			if !slices.ContainsFunc(views, func(v *View) bool { return v.OwnerID(h) != owner+"#1" }) {
				return h
			}
		}
	}
	t.Fatalf("%s owns no key", owner)
	return 0
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
