package httppool

import (
	"context"
	"net"
	"testing"
)

// elsewhere is a Dial from another address of the loopback interface.
func elsewhere(ip string) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}).DialContext(ctx, "tcp", addr)
	}
}

func TestMaxConns(t *testing.T) {
	server, addr := serverPool(t, Config{Handler: echoFast, MaxConns: 1, OnStream: func(c net.Conn, _ string) { c.Close() }})
	a, b := newPool(t, Config{}), newPool(t, Config{})
	checkEcho(t, a.Peer(addr), "", Request{})
	err := b.Peer(addr).Call(within(t), new(Request), new(Response))
	wantCallError(t, err, ErrRefused, false)
	wantCallError(t, err, ErrFull, false)
	checkEcho(t, a.Peer(addr), "", Request{})
	if got := server.Stats().Refused[refusedFull]; got != 1 {
		t.Errorf("%d refusals counted, want 1", got)
	}
	s, err := b.DialStream(within(t), addr) // gossip has a bound of its own
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// TestOwnPeersComeFirst: whom this member calls finds a place where others hold all.
func TestOwnPeersComeFirst(t *testing.T) {
	h := newHold()
	server, addr := serverPool(t, Config{MaxConns: 2, Handler: handlerFuncs{
		fast: func(_ string, req *Request, resp *Response) bool { return req.Key == "" }, slow: h.Serve,
	}})
	busy, idle := newPool(t, Config{Dial: elsewhere("127.0.0.2")}), newPool(t, Config{Dial: elsewhere("127.0.0.3")})
	result := make(chan error, 1)
	go func() { result <- busy.Peer(addr).Call(within(t), &Request{Key: "k"}, new(Response)) }()
	<-h.entered
	if err := idle.Peer(addr).Call(within(t), new(Request), new(Response)); err != nil {
		t.Fatal(err)
	}
	member := newPool(t, Config{BackoffMin: 1, BackoffMax: 1})
	call := func() error { return member.Peer(addr).Call(within(t), new(Request), new(Response)) }
	wantCallError(t, call(), ErrFull, false) // nobody knows it
	// An answer can be read before whoever wrote it has gone on to say that it is done.
	eventually(t, "the server sees that one is idle", func() bool { return server.dispensable() != nil })
	server.Peer("127.0.0.1:1")
	if err := call(); err != nil {
		t.Fatalf("a peer of the server's own: %v", err)
	}
	eventually(t, "the idle stranger is gone", func() bool { return idle.Stats().ConnsOut == 0 })
	if got := server.Stats().ConnsIn; got != 2 {
		t.Errorf("%d connections, want 2", got)
	}
	server.Peer("127.0.0.3:1")
	wantCallError(t, idle.Peer(addr).Call(within(t), new(Request), new(Response)), ErrFull, false) // one is busy, one a peer's
	close(h.release)
	if err := <-result; err != nil {
		t.Errorf("the call under way: %v", err)
	}
}
