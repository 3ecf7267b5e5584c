package cachemeshtest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
)

// TestLeakedLoaderFailsTheTest: a loader that ignores its context is found, on
// whichever member it runs.
func TestLeakedLoaderFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, members := range []int{1, 3} {
			r := new(recorder)
			c := cachemeshtest.New(r, members)
			release, entered := make(chan struct{}), make(chan struct{}, 1)
			group := cachemeshtest.Group(c, "g", func(int) cachemesh.LoaderFunc[string] {
				return func(context.Context, string) (string, error) {
					entered <- struct{}{}
					<-release
					return "", nil
				}
			}, cachemesh.GroupOptions[string]{})
			go group(0).Get(t.Context(), "k")
			<-entered
			if got := r.end(); !strings.Contains(got, "goroutines outlive the cluster") || !strings.Contains(got, "TestLeakedLoaderFailsTheTest") {
				t.Errorf("with %d members and a loader that hangs the test failed with %q", members, got)
			}
			close(release)
		}
	})
}

func TestCleanClusterFailsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		c := cachemeshtest.New(r, 3)
		c.Kill(0)
		c.Pause(1)
		if got := r.end(); got != "" {
			t.Errorf("the test failed with %q", got)
		}
	})
}

// TestSettleTellsWhoSeesWhat: the error names the members that see too many.
func TestSettleTellsWhoSeesWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		c.Kill(1)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		err := c.WaitSettled(ctx)
		want := "member 2 sees member-0, member-1, member-2, should see member-0, member-2"
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("just after a crash WaitSettled returned %v, want %q", err, want)
		}
	})
}

func TestMisuseEndsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, tt := range map[string]struct {
			do   func(*cachemeshtest.Cluster)
			want string
		}{
			"restart of a member that runs": {func(c *cachemeshtest.Cluster) { c.Restart(0) }, "member 0: it is running"},
			"group without a name": {func(c *cachemeshtest.Cluster) {
				cachemeshtest.Group[string](c, "", nil, cachemesh.GroupOptions[string]{})
			}, "a group's name has"},
		} {
			r := new(recorder)
			r.run(func() { tt.do(cachemeshtest.New(r, 1)) })
			if got := r.end(); !strings.Contains(got, tt.want) {
				t.Errorf("%s: the test failed with %q, want %q", name, got, tt.want)
			}
		}
	})
}

func TestOptionsReachEachMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		r.run(func() {
			cachemeshtest.New(r, 2, func(i int, o *cachemesh.Options) {
				if i == 1 {
					o.Lease = -1
				}
			})
		})
		if got := r.end(); !strings.Contains(got, "member 1: cachemesh: option Lease") {
			t.Errorf("an invalid option of member 1: %q", got)
		}
	})
}
