package cachemeshtest_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A recorder stands in for a test, for the tests of how a cluster fails one and
// for examples, which have none.
type recorder struct {
	testing.TB // nil: what is not below is not called

	mu       sync.Mutex // guards the fields below
	failures []string
	cleanups []func()
}

func (r *recorder) Helper()             {}
func (r *recorder) Logf(string, ...any) {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// Fatal ends the test's goroutine in a real test; here it ends the caller.
func (r *recorder) Fatal(args ...any) {
	r.Errorf("%s", fmt.Sprint(args...))
	panic(r)
}

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

// end does what happens at the end of a test and returns its failures.
func (r *recorder) end() string {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	return strings.Join(r.failures, "\n")
}

// run runs what may end the test.
func (r *recorder) run(f func()) {
	defer func() {
		if p := recover(); p != nil && p != r {
			panic(p)
		}
	}()
	f()
}
