package httppool

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
)

// callMany makes calls for values of a size from many goroutines.
func callMany(t *testing.T, q *Peer, size int) {
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 20 {
				var resp Response
				if err := q.Call(context.Background(), &Request{Arg: uint64(size)}, &resp); err != nil || len(resp.Value) != size {
					t.Errorf("%d bytes, %v; want %d", len(resp.Value), err, size)
				}
			}
		})
	}
	wg.Wait()
}

func TestLargeAnswersOpenASecondConnection(t *testing.T) {
	server, addr := serverPool(t, Config{Handler: benchHandler{make([]byte, 1<<20)}})
	q := newPool(t, Config{}).Peer(addr)
	callMany(t, q, bulkyUntil/2)
	if got := server.Stats().ConnsIn; got != 1 {
		t.Fatalf("%d connections for small values, want 1", got)
	}
	eventually(t, "a second connection serves calls", func() bool {
		callMany(t, q, bulkyFrom*2)
		c := q.places[1].conn.Load()
		if c == nil {
			return false
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.calls > 0
	})
	eventually(t, "calls come back to the first connection", func() bool {
		callMany(t, q, 1)
		return !q.bulky()
	})
}

// A second connection that cannot be had costs no call.
func TestSecondConnectionRefused(t *testing.T) {
	_, addr := serverPool(t, Config{Handler: benchHandler{make([]byte, 1<<20)}, MaxConns: 1})
	q := newPool(t, Config{}).Peer(addr)
	for range 3 {
		callMany(t, q, 100_000)
	}
}

func TestHomes(t *testing.T) {
	var wg sync.WaitGroup
	var counts [2]int
	var moved atomic.Int32
	var mu sync.Mutex
	hold := make(chan struct{})
	for range 1000 {
		wg.Go(func() {
			first := home(2)
			mu.Lock()
			counts[first]++
			mu.Unlock()
			<-hold // so that no two share a stack
			if home(2) != first {
				moved.Add(1) // its stack did: the collector shrinks them
			}
		})
	}
	eventually(t, "all have a home", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return counts[0]+counts[1] == 1000
	})
	close(hold)
	wg.Wait()
	if moved.Load() > 250 {
		t.Errorf("%d of 1000 goroutines have another home than before", moved.Load())
	}
	if min(counts[0], counts[1]) < 300 {
		t.Errorf("homes are spread unevenly: %v of 1000", counts)
	}
}
