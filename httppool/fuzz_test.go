package httppool

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// fuzzMemory is what a peer's input of some kilobytes may make this end allocate in
// all, buffers of the connection and of net/http included.
const fuzzMemory = 8 << 20

// bounded runs f and fails if it allocated more than fuzzMemory.
func bounded(t *testing.T, f func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > fuzzMemory {
		t.Errorf("allocated %d bytes, want at most %d", got, fuzzMemory)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	for _, req := range sampleRequests {
		f.Add(appendRequest(nil, 1, &req, time.Second)[headerSize:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var req, again Request
		size, timeout, err := decodeRequest(body, &req, testLimits)
		if err != nil {
			return
		}
		if len(req.Key) > testLimits.key || size > testLimits.value || (size <= inlineMax && size != len(req.Value)) || timeout < 0 {
			t.Fatalf("got a key of %d, a value of %d of %d bytes, timeout %v", len(req.Key), len(req.Value), size, timeout)
		}
		if size > inlineMax {
			return
		}
		b := appendRequest(nil, 1, &req, timeout)
		if _, _, err := decodeRequest(b[headerSize:], &again, testLimits); err != nil || again.Key != req.Key ||
			again.Group != req.Group || !bytes.Equal(again.Value, req.Value) || again.TTL != req.TTL || again.View != req.View {
			t.Fatalf("got %+v, %v the second time, want %+v", again, err, req)
		}
	})
}

func FuzzDecodeResponse(f *testing.F) {
	for _, resp := range sampleResponses {
		f.Add(appendResponse(nil, 1, &resp)[headerSize:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var resp, again Response
		size, err := decodeResponse(body, &resp, testLimits)
		if err != nil || size > inlineMax {
			return
		}
		b := appendResponse(nil, 1, &resp)
		if _, err := decodeResponse(b[headerSize:], &again, testLimits); err != nil || !bytes.Equal(again.Value, resp.Value) ||
			again.Message != resp.Message || again.Lease != resp.Lease || again.Version != resp.Version {
			t.Fatalf("got %+v, %v the second time, want %+v", again, err, resp)
		}
	})
}

// script is a connection that reads input and then ends, and takes every write.
type script struct {
	net.Conn // nil: nothing else is used
	in       io.Reader
}

func newScript(input []byte) *script { return &script{in: bytes.NewReader(input)} }

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error) { return len(p), nil }
func (s *script) Close() error                { return nil }
func (s *script) SetDeadline(time.Time) error { return nil }

// FuzzServe plays any bytes to the serving end of an admitted connection.
func FuzzServe(f *testing.F) {
	var all []byte
	for i, req := range sampleRequests {
		b := appendRequest(nil, uint32(i), &req, time.Second)
		f.Add(b)
		all = append(all, b...)
	}
	large := appendRequest(nil, 1, &Request{Value: make([]byte, 40_000)}, 0)
	large = append(appendHeader(large, frameData, 1, 40_000), make([]byte, 40_000)...)
	f.Add(append(all, large...))
	f.Add(appendHeader(appendHeader(appendHeader(nil, framePing, 3, 0), frameCancel, 1, 0), frameSkip, 0, 0))
	f.Add(appendHeader(appendRequest(nil, 1, &Request{Value: make([]byte, 1<<20)}, 0), frameCancel, 1, 0))
	p, err := New(Config{Handler: handlerFuncs{
		fast: func(from string, req *Request, resp *Response) bool { echo(from, req, resp); return req.Op%2 == 0 },
		slow: echoSlow.slow,
	}, MaxConcurrent: 16})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { p.Close() })
	f.Fuzz(func(t *testing.T, input []byte) {
		bounded(t, func() { p.serve(opened{conn: newScript(input), lim: testLimits}, "fuzz") })
	})
}

// FuzzAnswers plays any bytes to the calling end of a connection with calls under way.
func FuzzAnswers(f *testing.F) {
	for _, resp := range sampleResponses {
		f.Add(appendResponse(nil, 1<<16, &resp))
	}
	large := appendResponse(nil, 1<<16, &Response{Value: make([]byte, 40_000)})
	f.Add(append(appendHeader(large, frameData, 1<<16, 40_000), make([]byte, 40_000)...))
	f.Add(appendHeader(appendHeader(nil, framePong, 0, 0), frameGoaway, 0, 0))
	p, err := New(Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { p.Close() })
	f.Fuzz(func(t *testing.T, input []byte) {
		q := newPeer(&p.core, "fuzz")
		defer q.cancel()
		c := newCallConn(q, 0, opened{conn: newScript(input), lim: testLimits})
		q.places[0].conn.Store(c)
		p.adopt(c)
		calls := make([]*call, 3)
		for i := range calls {
			calls[i], _, _ = c.post(&Request{Key: "k"}, time.Time{})
		}
		c.abandonTaken(calls[2])
		bounded(t, c.readLoop)
		for _, cl := range calls[:2] {
			select {
			case <-cl.wake:
			default:
				t.Fatal("a call was left waiting")
			}
		}
	})
}

// abandonTaken abandons a call as if its request had been written.
func (c *callConn) abandonTaken(cl *call) {
	c.mu.Lock()
	c.base += uint64(len(c.buf))
	c.buf, c.writing = nil, true
	c.mu.Unlock()
	c.abandon(cl, slotWaiting)
}

// FuzzUpgrade sends any request to ServeHTTP of a member with a secret.
func FuzzUpgrade(f *testing.F) {
	f.Add([]byte(upgradeRequest(true)), make([]byte, verdictSize))
	f.Add([]byte(upgradeRequest(false)), []byte{})
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte{})
	p, err := New(Config{Secret: []byte("secret"), OnStream: func(c net.Conn, _ string) { panic("admitted") },
		Handler: handlerFuncs{fast: func(string, *Request, *Response) bool { panic("admitted") }}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { p.Close() })
	f.Fuzz(func(t *testing.T, head, rest []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			return
		}
		bounded(t, func() {
			h, ref := p.examine(r)
			if ref != nil {
				if ref.code < 400 || ref.text == "" {
					t.Errorf("refused with %d %q", ref.code, ref.text)
				}
				return
			}
			conn := newScript(rest)
			if p.welcome(conn, bufio.NewReader(conn), r.URL.Path, h) == nil {
				t.Error("admitted without knowing the secret")
			}
		})
	})
}

// FuzzGreet answers a client's handshake with any bytes.
func FuzzGreet(f *testing.F) {
	h := hello{id: "s", nonce: make([]byte, nonceSize), lim: limits{1, 1}}
	f.Add([]byte("HTTP/1.1 101 X\r\nUpgrade: " + protocol + "\r\n" + h.header() + headerProof + ": AAAA\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 403 No\r\nContent-Length: 1000000000\r\n\r\nbecause"))
	f.Add([]byte("HTTP/1.1 101 X\r\n" + strings.Repeat("A: b\r\n", 1000)))
	p, err := New(Config{Secret: []byte("secret")})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { p.Close() })
	f.Fuzz(func(t *testing.T, answer []byte) {
		bounded(t, func() {
			if _, err := p.greet(newScript(answer), "a", pathPeer, nil); err == nil {
				t.Error("accepted a server that does not know the secret")
			}
		})
	})
}
