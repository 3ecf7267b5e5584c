package cachemeshtest

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A mark labels the goroutines that a cluster's nodes start, and those that they
// start in turn, so that leaks are told from other tests' goroutines.
type mark struct{ label string }

const (
	markKey   = "cachemeshtest"
	leakPoll  = 10 * time.Millisecond
	leakPolls = 500 // 5 s: some goroutines end a little after their node
)

var marks atomic.Uint64

func newMark() mark { return mark{strconv.FormatUint(marks.Add(1), 10)} }

// do runs f; the goroutines it starts carry the mark.
func (m mark) do(f func()) {
	pprof.Do(context.Background(), pprof.Labels(markKey, m.label), func(context.Context) { f() })
}

// leaked returns the stacks of marked goroutines that do not end.
func (m mark) leaked() string {
	tick := time.NewTicker(leakPoll)
	defer tick.Stop()
	var stacks string
	for range leakPolls {
		if stacks = m.stacks(); stacks == "" {
			break
		}
		<-tick.C
	}
	return stacks
}

func (m mark) stacks() string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return err.Error()
	}
	want := strconv.Quote(markKey) + ":" + strconv.Quote(m.label)
	var found []string
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(stack, want) {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}
