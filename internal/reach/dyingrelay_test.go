package reach_test

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

// TestRelayDiesInTheMiddleOfAList: a caller reaches the owner of many keys through others alone, and the one that passes
// the list on, or its answer, crashes then. Another has it done, and what is said of each key is so.
func TestRelayDiesInTheMiddleOfAList(t *testing.T) {
	relayed, maybes := 0, 0
	for _, copies := range []int{1, 2} {
		for relay := 2; relay < 4; relay++ {
			for after := time.Millisecond; after < 60*time.Millisecond; after += 6 * time.Millisecond {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m := kit.New(t, 4)
					groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: copies, NoHotCopies: true})
					time.Sleep(time.Second) // all have told the others that they have the group
					list := relayedList{m: m, g: groups[0], owner: groups[1], keys: m.KeysOf("g", 1, 100), value: strings.Repeat("x", 8<<10)}
					list.play(t, ctx, relay, after)
					relayed, maybes = relayed+int(m.Nodes[0].Stats().Relayed), maybes+list.maybes
				})
			}
		}
	}
	if t.Logf("%d calls were passed on, %d writes may be applied", relayed, maybes); relayed == 0 || maybes == 0 {
		t.Error("no call was passed on, or none in the middle of a write")
	}
}

// A relayedList is keys of one owner, each of which the same happens to.
type relayedList struct {
	m        *kit.Mesh
	g, owner *cachemesh.Group[string] // of the caller, and of the owner
	keys     []string
	value    string
	maybes   int
}

func (l *relayedList) play(t *testing.T, ctx context.Context, relay int, after time.Duration) {
	old := make(map[string]string)
	for i, key := range l.keys {
		old[key] = fmt.Sprint(i, l.value)
	}
	kit.Must(t, l.owner.SetMany(ctx, old, 0))
	l.m.Net.SetLatency(5*time.Millisecond, 5*time.Millisecond)
	for _, way := range [][2]int{{0, 1}, {1, 0}} {
		l.m.Net.CutStreams(kit.Host(way[0]), kit.Host(way[1]))
	}
	if _, err := l.g.GetMany(ctx, l.keys[:3]); err != nil { // it is found out who passes calls on
		t.Fatal(err)
	}
	crash := time.AfterFunc(after, func() { l.m.Net.Kill(kit.Host(relay)) })
	defer crash.Stop()
	if after/time.Millisecond%12 < 6 {
		got, err := l.g.GetMany(ctx, l.keys)
		for _, key := range l.keys {
			if got[key] != old[key] {
				t.Fatalf("after %v: %.10q of %s, %v", after, got[key], key, err)
			}
		}
		return
	}
	l.write(t, ctx, after, old)
}

// write sets some keys and deletes the others, and looks at what the owner has of each.
func (l *relayedList) write(t *testing.T, ctx context.Context, after time.Duration, old map[string]string) {
	set, deleted := make(map[string]string), l.keys[50:]
	for _, key := range l.keys[:50] {
		set[key] = "new"
	}
	failed := make(map[string]error)
	for _, err := range []error{l.g.SetMany(ctx, set, 0), l.g.Delete(ctx, deleted...)} {
		each, ok := errors.AsType[cachemesh.KeyErrors](err)
		if err != nil && !ok {
			t.Fatalf("after %v: %v", after, err)
		}
		for key, err := range each {
			failed[key] = err
		}
	}
	for _, key := range l.keys {
		v, err := l.owner.Get(ctx, key)
		if err != nil && !errors.Is(err, cachemesh.ErrNotFound) {
			t.Fatalf("after %v: %v", after, err)
		}
		pe, _ := errors.AsType[*cachemesh.PeerError](failed[key])
		switch {
		case failed[key] == nil && v != set[key]:
			t.Errorf("after %v: %s was written, and has %.10q", after, key, v)
		case failed[key] == nil:
		case pe == nil || !pe.MaybeApplied:
			if v != old[key] {
				t.Errorf("after %v: %s has %.10q, and %v", after, key, v, failed[key])
			}
		default:
			l.maybes++
		}
	}
}
