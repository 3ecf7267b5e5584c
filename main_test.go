package cachemesh_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain is also the member that a benchmark starts. Else it fails the run when goroutines of this module outlive the tests.
func TestMain(m *testing.M) {
	if seed := os.Getenv(benchMemberEnv); seed != "" {
		if err := benchMember(seed); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if left := leaked(); left != "" && code == 0 {
		fmt.Fprintf(os.Stderr, "goroutines left over:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// leaked returns the stacks of goroutines that this module started, after giving
// those that are ending the time to do so.
func leaked() string {
	buf := make([]byte, 4<<20)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(3 * time.Second); ; <-tick.C {
		var left []string
		all := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		for _, g := range all[1:] {
			if strings.Contains(g, "praveenduddu/cachemesh") {
				left = append(left, g)
			}
		}
		if len(left) == 0 || time.Now().After(end) {
			return strings.Join(left, "\n\n")
		}
	}
}
