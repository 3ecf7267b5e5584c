package membership

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails if goroutines are left when all members are closed. memberlist does not wait for its own, so they get
// a few seconds to end by themselves; those of this package must be gone before Close returns, which the tests in
// bubbles check.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if left := leftovers(5 * time.Second); left != "" {
			fmt.Fprintln(os.Stderr, "goroutines left:\n"+left)
			code = 1
		}
	}
	os.Exit(code)
}

// leftovers returns the stacks of goroutines of this package and of memberlist that are alive after limit.
func leftovers(limit time.Duration) string {
	deadline := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		left := stacks()
		if left == "" {
			return ""
		}
		select {
		case <-deadline:
			return left
		case <-tick.C:
		}
	}
}

func stacks() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var left []string
	for _, g := range strings.Split(string(buf), "\n\n")[1:] { // the first is this one
		if strings.Contains(g, "cachemesh/membership") || strings.Contains(g, "hashicorp/memberlist") {
			left = append(left, g)
		}
	}
	return strings.Join(left, "\n\n")
}
