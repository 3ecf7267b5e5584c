package httppool

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
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

// TestAnswersDoNotOvertake: those that find no room are written in the order in which
// they were made.
func TestAnswersDoNotOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 60
		var made [calls]chan struct{}
		for i := range made {
			made[i] = make(chan struct{})
		}
		p := newPool(t, Config{Handler: handlerFuncs{slow: func(_ context.Context, _ string, req *Request, resp *Response) {
			<-made[req.Arg]
			resp.Value, resp.Version = make([]byte, inlineMax), req.Arg
		}}})
		near, far := net.Pipe()
		defer near.Close()
		go p.serve(opened{conn: far, lim: testLimits}, "pipe")
		for i := range calls {
			near.Write(appendRequest(nil, uint32(i), &Request{Arg: uint64(i)}, 0))
		}
		rd, next := newFrameReader(near, nil), 0
		read := func(n int) {
			for range n {
				if err := rd.fill(headerSize); err != nil {
					t.Fatal(err)
				}
				h, _ := parseHeader(rd.buf[rd.r:rd.w])
				body := make([]byte, headerSize+h.size)
				if err := rd.readFull(body); err != nil {
					t.Fatal(err)
				}
				var resp Response
				if _, err := decodeResponse(body[headerSize:], &resp, testLimits); err != nil {
					t.Fatal(err)
				}
				if resp.Version != uint64(next) {
					t.Fatalf("answer %d was written as number %d", resp.Version, next)
				}
				next++
			}
		}
		for i := range calls {
			close(made[i])
			synctest.Wait() // it is in line
			if i >= calls/2 && i%4 == 0 {
				read(1)
				synctest.Wait()
			}
		}
		read(calls - next)
	})
}

// TestSmallAnswersBesideManyLargeOnes of one connection do not wait until some are written.
func TestSmallAnswersBesideManyLargeOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, Config{Handler: handlerFuncs{slow: func(_ context.Context, _ string, req *Request, resp *Response) {
			resp.Value = make([]byte, req.Arg)
		}}})
		near, far := net.Pipe()
		defer near.Close()
		go p.serve(opened{conn: far, lim: testLimits}, "pipe")
		for id := range uint32(2 * maxLarge) {
			near.Write(appendRequest(nil, id, &Request{Arg: 1 << 20}, 0))
		}
		synctest.Wait() // now as many are in line as may be, and others wait for that
		near.Write(appendRequest(nil, 1<<16, &Request{Arg: 128}, 0))
		synctest.Wait()
		rd := newFrameReader(near, nil)
		for data := 0; ; {
			if err := rd.fill(headerSize); err != nil {
				t.Fatal(err)
			}
			h, _ := parseHeader(rd.buf[rd.r:rd.w])
			if h.id == 1<<16 {
				return
			}
			if h.kind == frameData {
				if data++; data == maxLarge {
					t.Fatalf("no small answer among %d chunks of large ones", data)
				}
			}
			if err := rd.skip(headerSize + h.size); err != nil {
				t.Fatal(err)
			}
		}
	})
}
