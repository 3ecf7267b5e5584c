package cachemeshtest_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
)

// Three members, no ports: each asks for the same user, one of them loads it.
// Then its owner crashes, and the others go on.
func Example() {
	t := new(recorder) // in a test: its *testing.T
	defer t.end()

	c := cachemeshtest.New(t, 3)
	var queries atomic.Int64
	users := cachemeshtest.Group(c, "users", func(member int) cachemesh.LoaderFunc[string] {
		return func(ctx context.Context, id string) (string, error) {
			queries.Add(1)
			return "the user " + id, nil
		}
	}, cachemesh.GroupOptions[string]{})

	ctx := context.Background()
	for i := range 3 {
		user, err := users(i).Get(ctx, "ada")
		fmt.Println(user, err)
	}
	fmt.Println("queries:", queries.Load())

	c.Kill(2)
	user, err := users(0).Get(ctx, "grace") // need not wait until the crash is noticed
	fmt.Println(user, err)

	c.Settle()
	fmt.Println("members:", len(c.Node(0).Members()))

	// Output:
	// the user ada <nil>
	// the user ada <nil>
	// the user ada <nil>
	// queries: 1
	// the user grace <nil>
	// members: 2
}

// TestInABubble is the same idea in a synctest bubble: seconds of failure
// detection pass in no time, and time is exact.
func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		sessions := cachemeshtest.Group[string](c, "sessions", nil, cachemesh.GroupOptions[string]{})
		c.Kill(1)
		c.Settle()
		if err := sessions(0).Set(t.Context(), "s1", "ada", time.Minute); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute - time.Second)
		if got, err := sessions(2).Get(t.Context(), "s1"); got != "ada" || err != nil {
			t.Errorf("before its end the session is %q, %v", got, err)
		}
		time.Sleep(time.Second)
		if _, err := sessions(2).Get(t.Context(), "s1"); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("after its end the session gives %v", err)
		}
	})
}
