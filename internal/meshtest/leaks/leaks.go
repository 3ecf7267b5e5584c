// Package leaks fails a test binary that leaves goroutines behind. It imports nothing of
// this module, so that tests inside any package can use it.
package leaks

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

const (
	module = "praveenduddu/cachemesh"
	grace  = 5 * time.Second // for goroutines that are ending
)

// Main runs the tests and exits: with an error if they leave goroutines that run code of
// this module, or whose stacks name one of others. It is what TestMain calls.
func Main(m *testing.M, others ...string) {
	code := m.Run()
	if left := await(append(others, module)); left != "" && code == 0 {
		fmt.Fprintf(os.Stderr, "goroutines left over:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// await returns the stacks of goroutines that name one of these, after giving those that
// are ending the time to do so.
func await(names []string) string {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(grace); ; <-tick.C {
		if left := stacks(names); left == "" || time.Now().After(end) {
			return left
		}
	}
}

func stacks(names []string) string {
	buf := make([]byte, 4<<20)
	var left []string
	for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")[1:] { // the first is this one
		for _, name := range names {
			if strings.Contains(g, name) {
				left = append(left, g)
				break
			}
		}
	}
	return strings.Join(left, "\n\n")
}
