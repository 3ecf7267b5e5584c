// Command ratelimit allows each user so many requests a minute, whichever of three members they
// come to: one counter a user and minute, counted up at its owner.
//
//	go run .
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/examples/services/internal/mesh"
)

const (
	members  = 3
	allowed  = 10
	window   = time.Minute
	requests = 30 // of a user, to each member
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// A limiter allows each user most requests in a window.
type limiter struct {
	counters *cachemesh.Group[int64]
	most     int64
	window   time.Duration
}

// allow reports whether a user may make a request at the time now, and how many are left. While
// nobody can say, as when the counter's owner has just crashed, it allows: a limiter is no
// reason to be down.
func (l *limiter) allow(ctx context.Context, user string, now time.Time) (ok bool, left int64) {
	key := fmt.Sprintf("%s@%d", user, now.UnixNano()/int64(l.window))
	n, err := cachemesh.Increment(ctx, l.counters, key, 1, 2*l.window) // it is gone when nobody asks for it any more
	if err != nil {
		return true, 0
	}
	return n <= l.most, max(l.most-n, 0)
}

func run(ctx context.Context, out io.Writer) (err error) {
	limiters := make([]*limiter, members)
	m, err := mesh.Start(members, func(i int, n *cachemesh.Node) error {
		counters, err := cachemesh.NewGroup[int64](n, "requests", nil, cachemesh.GroupOptions[int64]{MaxBytes: 16 << 20})
		limiters[i] = &limiter{counters: counters, most: allowed, window: window}
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Stop()) }()

	now := time.Now()
	for _, minute := range []string{"first", "second"} {
		for _, user := range []string{"alice", "bob"} {
			fmt.Fprintf(out, "%s minute: %d of %d requests of %s were allowed\n",
				minute, ask(ctx, limiters, user, now), members*requests, user)
		}
		now = now.Add(window)
	}
	return nil
}

// ask makes all requests of a user at once, through all members, and returns how many were allowed.
func ask(ctx context.Context, limiters []*limiter, user string, now time.Time) int64 {
	var all sync.WaitGroup
	var yes atomic.Int64
	for _, l := range limiters {
		for range requests {
			all.Go(func() {
				if ok, _ := l.allow(ctx, user, now); ok {
					yes.Add(1)
				}
			})
		}
	}
	all.Wait()
	return yes.Load()
}
