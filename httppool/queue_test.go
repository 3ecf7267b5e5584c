package httppool

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// unread is a calling connection whose peer takes no byte before the test reads.
func unread(t *testing.T, cfg Config) (c *callConn, rd *frameReader) {
	t.Helper()
	p := newPool(t, cfg)
	near, far := net.Pipe()
	t.Cleanup(func() { far.Close() })
	c = newCallConn(p.Peer("a"), 0, opened{conn: near, lim: testLimits})
	if !p.adopt(c, c.readLoop, c.writeLoop) {
		t.Fatal("the pool is closed")
	}
	return c, newFrameReader(far, nil)
}

// requests reads frames until it has seen n requests as a whole, and returns
// the keys in the order in which they came: of a large one when its last byte has.
func requests(t *testing.T, rd *frameReader, n int) (keys []string) {
	t.Helper()
	coming, left := make(map[uint32]string), make(map[uint32]int)
	for len(keys) < n {
		if err := rd.fill(headerSize); err != nil {
			t.Fatal(err)
		}
		h, err := parseHeader(rd.buf[rd.r:rd.w])
		if err != nil {
			t.Fatal(err)
		}
		body := make([]byte, headerSize+h.size)
		if err := rd.readFull(body); err != nil {
			t.Fatal(err)
		}
		switch h.kind {
		case frameRequest:
			var req Request
			size, _, err := decodeRequest(body[headerSize:], &req, testLimits)
			if err != nil {
				t.Fatal(err)
			}
			if coming[h.id], left[h.id] = req.Key, size; size <= inlineMax {
				keys = append(keys, req.Key)
			}
		case frameData:
			if left[h.id] -= h.size; left[h.id] == 0 {
				keys = append(keys, coming[h.id])
			}
		}
	}
	return keys
}

// TestRequestsDoNotOvertake: those that found no room in the buffer are written before
// all that came later.
func TestRequestsDoNotOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, rd := unread(t, Config{})
		value := make([]byte, inlineMax)
		begun := 0
		begin := func(n int) {
			for range n {
				if _, err := c.begin(t.Context(), &Request{Key: fmt.Sprint(begun), Value: value}); err != nil {
					t.Fatal(err)
				}
				begun++
			}
		}
		begin(60) // far more than fits the buffer
		synctest.Wait()
		got := requests(t, rd, 2) // now a write has ended, and the buffer has room
		synctest.Wait()
		begin(20)
		got = append(got, requests(t, rd, begun-len(got))...)
		for i, key := range got {
			if key != fmt.Sprint(i) {
				t.Fatalf("request %s was written as number %d: %v", key, i, got)
			}
		}
	})
}

// TestLargeRequestsBesideAFullBuffer: a large request gets on while small ones keep the
// buffer full.
func TestLargeRequestsBesideAFullBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, rd := unread(t, Config{})
		begin := func(key string, size int) {
			if _, err := c.begin(t.Context(), &Request{Key: key, Value: make([]byte, size)}); err != nil {
				t.Fatal(err)
			}
		}
		begin("large", 4*chunkMax)
		for range 200 {
			begin("small", inlineMax)
		}
		for i, key := range requests(t, rd, 60) {
			if key == "large" {
				return
			} else if i == 59 {
				t.Error("a request of 256 KiB was not written among the first 60 of 32 KiB that came after it")
			}
		}
	})
}

// TestLeavingALongQueue: the caller of a request that waits leaves without a trace.
func TestLeavingALongQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, rd := unread(t, Config{})
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 100 {
			with := t.Context()
			if i >= 20 && i%2 == 0 {
				with = ctx
			}
			cl, err := c.begin(with, &Request{Key: fmt.Sprint(i), Value: make([]byte, inlineMax)})
			if err != nil {
				t.Fatal(err)
			}
			go c.wait(with, cl, new(Response))
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		got := requests(t, rd, 60)
		want := 0
		for _, key := range got {
			if key != fmt.Sprint(want) {
				t.Fatalf("got request %s, want %d: %v", key, want, got)
			}
			if want++; want >= 20 && want%2 == 0 {
				want++
			}
		}
		c.fail(io.EOF)
	})
}

// TestSlotsComeBack: the memory of a burst of calls is given back, when all are over and
// when one caller goes on; the slot of a call that waits on stays until it is answered.
func TestSlotsComeBack(t *testing.T) {
	for name, goesOn := range map[string]bool{"idle": false, "one goes on": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const burst = 5_000
				mem, h, late := newMemNet(), newHold(), make(chan struct{})
				h.entered = make(chan string, burst)
				serveOn(t, newPool(t, Config{MaxConcurrent: 2 * burst, Handler: handlerFuncs{
					fast: func(_ string, req *Request, _ *Response) bool { return req.Op == 1 },
					slow: func(ctx context.Context, from string, req *Request, resp *Response) {
						if req.Op == 2 {
							<-late
							return
						}
						h.Serve(ctx, from, req, resp)
					},
				}}), mem)
				q := newPool(t, Config{Dial: mem.Dial, ConnsPerPeer: 1}).Peer("a")
				call := func(op uint8) {
					if err := q.Call(t.Context(), &Request{Op: op}, new(Response)); err != nil {
						t.Error(err)
					}
				}
				call(1)
				goroutines(3 * burst)
				before := liveHeap()
				for range burst {
					go call(0)
				}
				synctest.Wait()
				go call(2) // in one of the highest slots
				synctest.Wait()
				close(h.release)
				synctest.Wait()
				c := q.places[0].conn.Load()
				look := func() (slots int) {
					for range 60 {
						c.look(time.Now())
						if goesOn {
							call(1)
						}
					}
					return len(*c.slots.Load())
				}
				if got := look(); got < burst {
					t.Fatalf("%d slots while a call waits in a higher one", got)
				}
				close(late)
				synctest.Wait()
				if got := look(); got != minSlots {
					t.Errorf("%d slots after %d calls, want %d", got, burst, minSlots)
				}
				if more := liveHeap() - before; more > 1<<20 {
					t.Errorf("%d KiB more of the heap live than before", more>>10)
				}
				for range 4 * minSlots { // and it grows again
					go call(1)
				}
				synctest.Wait()
			})
		})
	}
}

// goroutines makes the runtime have n goroutines to reuse, whose descriptors it never frees.
func goroutines(n int) {
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range n {
		wg.Go(func() { <-stop })
	}
	close(stop)
	wg.Wait()
}

// liveHeap returns the bytes that live on the heap.
func liveHeap() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
