package dashboard

import (
	"context"
	"testing"

	"github.com/praveenduddu/cachemesh"
)

// A glance between two looks tells that a member came, and is no second of what groups count.
func TestGlance(t *testing.T) {
	node, err := cachemesh.New(cachemesh.Options{Name: "a", ListenAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	g, err := cachemesh.NewGroup(node, "g", func(_ context.Context, key string) (string, error) { return key, nil }, cachemesh.GroupOptions[string]{})
	if err != nil {
		t.Fatal(err)
	}
	w := newWatch()
	w.look(seenOf(node))
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Get(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	w.glance(node)
	last, _, events := w.now()
	if len(last.members) != 1 || len(events) == 0 {
		t.Errorf("a glance sees %d members and says %v, want the one that has started", len(last.members), events)
	}
	told, _ := w.next()
	w.glance(node)
	select {
	case <-told:
		t.Error("a glance at what has not changed tells who watches")
	default:
	}
	w.look(seenOf(node))
	all := w.recent(nil)
	sum, _ := sumOf(all, len(all))
	if len(all) != 2 || sum.gets() != 1 {
		t.Errorf("two looks and two glances remember %d seconds with %d Gets, want 2 with 1", len(all), sum.gets())
	}
}
