package kit

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/await"
	"github.com/praveenduddu/cachemesh/internal/meshtest/members"
)

// agreement bounds waits for members to agree, mostly by a bubble's clock.
const agreement = 100 * time.Second

// AwaitMembers waits until a node sees as many members.
func AwaitMembers(t *testing.T, ctx context.Context, n *cachemesh.Node, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, agreement)
	defer cancel()
	if err := Until(ctx, func() bool { return len(n.Members()) == want }); err != nil {
		t.Fatalf("%v sees %v, want %d", n, n.Members(), want)
	}
}

// AwaitMode waits until a node has settled in a mode: see NodeStats.Mode.
func AwaitMode(t *testing.T, n *cachemesh.Node, mode string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), agreement)
	defer cancel()
	if err := Until(ctx, func() bool { s := n.Stats(); return s.Settled && s.Mode == mode }); err != nil {
		t.Fatalf("%s: %+v, want %s", n.Name(), n.Stats().Mode, mode)
	}
}

// Bubble runs f in a synctest bubble.
func Bubble(t *testing.T, f func(t *testing.T, ctx context.Context)) {
	synctest.Test(t, func(t *testing.T) {
		// The clock of a bubble stops with the test, and memberlist's goroutines end
		// only as their timers fire.
		t.Cleanup(func() { time.Sleep(time.Minute) })
		f(t, Context(t))
	})
}

// Context ends with the test, or an hour after it began.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}

// Must ends the test if there is an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Pause waits, less if the context ends.
func Pause(ctx context.Context, d time.Duration) error { return await.Pause(ctx, d) }

// Until waits until ok returns true, which is asked every millisecond. Its error is the
// context's, if that ends before.
func Until(ctx context.Context, ok func() bool) error { return await.Until(ctx, time.Millisecond, ok) }

// AwaitSettled waits until the node's view has settled with this many members.
func AwaitSettled(ctx context.Context, n *cachemesh.Node, want int) error {
	return members.AwaitSettled(ctx, n, want)
}
