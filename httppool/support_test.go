package httppool

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// handlerFuncs is a Handler from two functions; a nil fast leaves every call to slow.
type handlerFuncs struct {
	fast func(from string, req *Request, resp *Response) bool
	slow func(ctx context.Context, from string, req *Request, resp *Response)
}

func (h handlerFuncs) ServeFast(from string, req *Request, resp *Response) bool {
	return h.fast != nil && h.fast(from, req, resp)
}

func (h handlerFuncs) Serve(ctx context.Context, from string, req *Request, resp *Response) {
	h.slow(ctx, from, req, resp)
}

// echo answers with all that it was asked, from copies.
func echo(from string, req *Request, resp *Response) {
	resp.Status, resp.Flags = req.Op, req.Flags
	resp.View, resp.TTL, resp.Version = req.View, req.TTL, req.Arg
	resp.Message = strings.Join([]string{from, req.Group, req.Key}, "\x00")
	resp.Value = append([]byte(nil), req.Value...)
}

var echoFast = handlerFuncs{
	fast: func(from string, req *Request, resp *Response) bool { echo(from, req, resp); return true },
	slow: func(_ context.Context, from string, req *Request, resp *Response) { echo(from, req, resp) },
}

var echoSlow = handlerFuncs{slow: echoFast.slow}

// hold is a Handler whose calls wait: each announces itself on entered and answers when
// release lets it or its context ends.
type hold struct {
	entered chan string
	release chan struct{}
	ended   chan error // receives the context's error of a call that ended so
}

func newHold() *hold {
	return &hold{entered: make(chan string, 64), release: make(chan struct{}), ended: make(chan error, 64)}
}

func (h *hold) ServeFast(string, *Request, *Response) bool { return false }

func (h *hold) Serve(ctx context.Context, _ string, req *Request, resp *Response) {
	h.entered <- strings.Clone(req.Key)
	select {
	case <-h.release:
		resp.Value = append([]byte(nil), req.Value...)
	case <-ctx.Done():
		h.ended <- ctx.Err()
	}
}

// newPool returns a Pool that the test closes.
func newPool(t testing.TB, cfg Config) *Pool {
	t.Helper()
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// serveOn serves h over HTTP on ln until the test ends or stop is called.
func serveOn(t testing.TB, h http.Handler, ln net.Listener) (stop func()) {
	t.Helper()
	srv := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	done := make(chan struct{})
	go func() { srv.Serve(ln); close(done) }()
	stop = sync.OnceFunc(func() { srv.Close(); <-done })
	t.Cleanup(stop)
	return stop
}

// listen returns a loopback listener and its address.
func listen(t testing.TB) (net.Listener, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln, ln.Addr().String()
}

// serverPool returns a Pool that serves on loopback, and its address.
func serverPool(t testing.TB, cfg Config) (*Pool, string) {
	t.Helper()
	p := newPool(t, cfg)
	ln, addr := listen(t)
	serveOn(t, p, ln)
	return p, addr
}

// memNet is a network in memory, for synctest bubbles. wrap, if set, wraps the
// serving end of each connection.
type memNet struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	wrap   func(net.Conn) net.Conn
}

func newMemNet() *memNet {
	return &memNet{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (n *memNet) Dial(ctx context.Context, _ string) (net.Conn, error) {
	a, b := net.Pipe()
	if n.wrap != nil {
		b = n.wrap(b)
	}
	select {
	case n.conns <- b:
		return a, nil
	case <-n.closed:
		return nil, errors.New("nobody listens")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *memNet) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *memNet) Close() error   { n.once.Do(func() { close(n.closed) }); return nil }
func (n *memNet) Addr() net.Addr { return memAddr{} }

type memAddr struct{}

func (memAddr) Network() string { return "mem" }
func (memAddr) String() string  { return "mem" }

// wantCallError checks that err is a *CallError about target, sent or not.
func wantCallError(t testing.TB, err, target error, sent bool) *CallError {
	t.Helper()
	var ce *CallError
	if !errors.As(err, &ce) {
		t.Fatalf("got error %v, want a *CallError", err)
	}
	if !errors.Is(err, target) {
		t.Errorf("got error %v, want it to match %v", err, target)
	}
	if ce.Sent != sent {
		t.Errorf("got Sent %v, want %v: %v", ce.Sent, sent, err)
	}
	return ce
}

// within returns a context that ends late enough to fail a test only when it hangs.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// logLines collects what a Pool logs.
type logLines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logLines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// eventually waits, without sleeping, for what another goroutine is about to do.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// oneConn is a Dial that returns conn.
func oneConn(conn net.Conn) func(context.Context, string) (net.Conn, error) {
	return func(context.Context, string) (net.Conn, error) { return conn, nil }
}
