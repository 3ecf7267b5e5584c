package httppool

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// pipeServer serves one end of a pipe, whose writes wait for the reader, and returns
// the other, whose calls fail after a while.
func pipeServer(t *testing.T, h Handler) (*Pool, net.Conn) {
	t.Helper()
	p := newPool(t, Config{Handler: h})
	near, far := net.Pipe()
	near.SetDeadline(time.Now().Add(5 * time.Second))
	served := make(chan struct{})
	go func() {
		defer close(served)
		p.serve(opened{conn: far, lim: limits{key: 100, value: 1 << 20}}, "pipe")
	}()
	t.Cleanup(func() { near.Close(); <-served })
	return p, near
}

// sized answers Op 1 from ServeFast and others from Serve once release is closed, with
// as many bytes as Arg says.
func sized(release chan struct{}) Handler {
	return handlerFuncs{
		fast: func(_ string, req *Request, resp *Response) bool {
			resp.Value = make([]byte, req.Arg)
			return req.Op == 1
		},
		slow: func(_ context.Context, _ string, req *Request, resp *Response) {
			<-release
			resp.Value = make([]byte, req.Arg)
		},
	}
}

// wantReading fails unless the serving end takes a frame; a pipe's write waits for it.
func wantReading(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := conn.Write(appendHeader(nil, frameSkip, 0, 0)); err != nil {
		t.Errorf("the serving end does not read: %v", err)
	}
}

func TestVeryLargeAnswerLeavesTheReaderFree(t *testing.T) {
	_, conn := pipeServer(t, sized(nil))
	if _, err := conn.Write(appendRequest(nil, 1, &Request{Op: 1, Arg: ownMax + 1}, 0)); err != nil {
		t.Fatal(err)
	}
	wantReading(t, conn)
}

func TestReaderHandsOnAnswersThatJoinItsOwn(t *testing.T) {
	release := make(chan struct{})
	p, conn := pipeServer(t, sized(release))
	// In one write, so that the second is answered before the reader would wait.
	both := appendRequest(nil, 1, &Request{Op: 2, Arg: ownMax + 1}, 0)
	both = appendRequest(both, 2, &Request{Op: 1, Arg: inlineMax + 1}, 0)
	if _, err := conn.Write(both); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, headerSize)); err != nil {
		t.Fatal(err)
	}
	// The reader is inside its own write now.
	close(release)
	eventually(t, "the second large answer is in line", func() bool {
		c := onlyServing(p)
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.large) == 1
	})
	head := len(appendResponse(nil, 2, &Response{Value: make([]byte, inlineMax+1)}))
	if _, err := io.ReadFull(conn, make([]byte, head+inlineMax+1)); err != nil {
		t.Fatal(err)
	}
	wantReading(t, conn)
}

// onlyServing returns the one connection that p serves.
func onlyServing(p *Pool) *serveConn {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for c := range p.conns {
		if s, ok := c.(*serveConn); ok {
			return s
		}
	}
	return nil
}
