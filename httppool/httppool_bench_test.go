package httppool

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// benchServerEnv makes the test binary serve calls until its input ends.
const benchServerEnv = "HTTPPOOL_BENCH_SERVER"

// benchHandler answers with a value of Arg bytes from ServeFast, or Serve if Op is 1.
type benchHandler struct{ value []byte }

func (h benchHandler) ServeFast(_ string, req *Request, resp *Response) bool {
	if req.Op == 1 {
		return false
	}
	resp.Value = h.value[:req.Arg]
	return true
}

func (h benchHandler) Serve(_ context.Context, _ string, req *Request, resp *Response) {
	resp.Value = h.value[:req.Arg]
}

func benchServer() {
	p, err := New(Config{Self: "server", Handler: benchHandler{make([]byte, 64<<20)}})
	if err != nil {
		panic(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(ln, p)
	fmt.Println(ln.Addr())
	bufio.NewReader(os.Stdin).ReadByte() // until the parent ends
}

func startServer(b *testing.B) string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), benchServerEnv+"=1")
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); cmd.Wait() })
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(addr)
}

func BenchmarkCallTwoProcesses(b *testing.B) { benchCalls(b, startServer(b)) }

func BenchmarkCall(b *testing.B) {
	_, addr := serverPool(b, Config{Handler: benchHandler{make([]byte, 1<<20)}})
	benchCalls(b, addr)
}

func benchCalls(b *testing.B, addr string) {
	p := newPool(b, Config{Self: "client"})
	for _, op := range []string{"fast", "serve"} {
		for _, size := range []int{128, 4 << 10, 64 << 10} {
			for _, callers := range []int{1, 64, 512} {
				b.Run(fmt.Sprintf("%s/%d/callers=%d", op, size, callers), func(b *testing.B) {
					req := Request{Group: "users", Key: "user:1234567890", Arg: uint64(size), View: 7}
					if op == "serve" {
						req.Op = 1
					}
					benchCallers(b, p.Peer(addr), callers, req)
				})
			}
		}
	}
}

func benchCallers(b *testing.B, q *Peer, callers int, req Request) {
	b.ReportAllocs()
	if err := q.Call(context.Background(), &req, new(Response)); err != nil { // connects
		b.Fatal(err)
	}
	b.SetBytes(int64(req.Arg))
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error)
	took := make([]time.Duration, 0, b.N) // by one caller only
	b.ResetTimer()
	for range callers {
		go func() {
			var resp Response
			var err error
			for left.Add(-1) >= 0 && err == nil {
				start := time.Now()
				err = q.Call(context.Background(), &req, &resp)
				if callers == 1 {
					took = append(took, time.Since(start))
				}
			}
			done <- err
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	if callers == 1 {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
		b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
	}
}
