package httppool

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
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

// echo answers with all that it was asked, as Serve must: from copies.
func echo(from string, req *Request, resp *Response) {
	resp.Status, resp.Flags = req.Op, req.Flags
	resp.View, resp.TTL, resp.Version = req.View, req.TTL, req.Arg
	resp.Message = from + "\x00" + req.Group + "\x00" + req.Key
	resp.Value = append([]byte(nil), req.Value...)
}

var echoFast = handlerFuncs{
	fast: func(from string, req *Request, resp *Response) bool { echo(from, req, resp); return true },
	slow: func(_ context.Context, from string, req *Request, resp *Response) { echo(from, req, resp) },
}

var echoSlow = handlerFuncs{slow: echoFast.slow}

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

// serveOn serves p over HTTP on ln until the test ends.
func serveOn(t testing.TB, p *Pool, ln net.Listener) *http.Server {
	t.Helper()
	srv := &http.Server{Handler: p}
	done := make(chan struct{})
	go func() { srv.Serve(ln); close(done) }()
	t.Cleanup(func() { srv.Close(); <-done })
	return srv
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

var _ = httptest.NewServer
