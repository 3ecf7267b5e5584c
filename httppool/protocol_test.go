package httppool

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

// frames joins what a peer sends.
func frames(parts ...[]byte) []byte { return slices.Concat(parts...) }

// dataFrame is a data frame of n bytes.
func dataFrame(id uint32, n int) []byte {
	return append(appendHeader(nil, frameData, id, n), make([]byte, n)...)
}

func largeRequest(id uint32, size int) []byte {
	return appendRequest(nil, id, &Request{Key: "k", Value: make([]byte, size)}, 0)
}

func cut(b []byte, n int) []byte { return b[:len(b)-n] }

// TestProtocolErrorsOfCallers: each closes the connection, is counted and logged once, and
// the calls that it carried see their context end. Nothing after it reaches a handler.
func TestProtocolErrorsOfCallers(t *testing.T) {
	small := func(id uint32) []byte { return appendRequest(nil, id, &Request{Key: "k"}, 0) }
	large := func(id uint32) []byte { return largeRequest(id, inlineMax+1) }
	for name, test := range map[string]struct {
		sent   []byte
		reason string
	}{
		"an id that is under way":        {frames(small(1), small(1)), badOrder},
		"an id whose value is coming":    {frames(large(1), large(1)), badOrder},
		"a fifth large request":          {frames(large(1), large(2), large(3), large(4), large(5)), badOrder},
		"data of no request":             {dataFrame(1, 4), badOrder},
		"data of a small request":        {frames(small(1), dataFrame(1, 4)), badOrder},
		"data after all of it":           {frames(large(1), dataFrame(1, inlineMax+1), dataFrame(1, 1)), badOrder},
		"more data than announced":       {frames(large(1), dataFrame(1, inlineMax+2)), badSize},
		"empty data":                     {frames(large(1), dataFrame(1, 0)), badGarbage},
		"an answer":                      {appendResponse(nil, 1, new(Response)), badType},
		"an answer that is carried":      {appendHeader(nil, frameCarriedResponse, 1, 0), badType},
		"goaway":                         {appendHeader(nil, frameGoaway, 0, 0), badType},
		"pong":                           {appendHeader(nil, framePong, 0, 0), badType},
		"an unknown type":                {appendHeader(nil, 99, 0, 0), badType},
		"a frame that is too long":       {appendHeader(nil, frameRequest, 1, maxBody+1), badSize},
		"data that is too long":          {frames(large(1), appendHeader(nil, frameData, 1, chunkMax+1)), badSize},
		"a cancel with a body":           {appendHeader(nil, frameCancel, 1, 1), badSize},
		"a key over the limit":           {appendRequest(nil, 1, &Request{Key: strings.Repeat("k", 101)}, 0), badSize},
		"a value over the limit":         {largeRequest(1, 1<<20+1), badSize},
		"a head of garbage":              {append(appendHeader(nil, frameRequest, 1, 3), 0, 0, 255), badGarbage},
		"an end inside a header":         {cut(small(1), len(small(1))-5), badTruncated},
		"an end inside a frame":          {cut(small(1), 1), badTruncated},
		"an end inside a value":          {frames(large(1), cut(dataFrame(1, 100), 50)), badTruncated},
		"an end between frames is right": {frames(small(1), large(2)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var log logLines
			afterwards := make(chan struct{}, 64)
			p := newPool(t, Config{MaxKey: 100, MaxValue: 1 << 20, Logger: log.logger(), Handler: handlerFuncs{
				fast: func(_ string, req *Request, _ *Response) bool {
					if req.Op == 7 {
						afterwards <- struct{}{}
					}
					return req.Op == 7
				},
				slow: func(ctx context.Context, _ string, _ *Request, _ *Response) { <-ctx.Done() },
			}})
			sent := test.sent
			if test.reason != "" && test.reason != badTruncated {
				sent = frames(sent, appendRequest(nil, 9, &Request{Op: 7}, 0))
			}
			p.serve(opened{conn: newScript(sent), lim: testLimits}, "10.0.0.1:1") // returns once no call runs
			want := map[string]uint64{test.reason: 1}
			if test.reason == "" {
				want = nil
			}
			if s := p.Stats(); !maps.Equal(s.BadFrames, want) || s.ConnsIn != 0 {
				t.Errorf("got bad frames %v and %d connections, want %v and none", s.BadFrames, s.ConnsIn, want)
			}
			if len(afterwards) > 0 {
				t.Error("a request after it reached the handler")
			}
			if got := strings.Count(log.String(), "10.0.0.1: bad frame"); got != len(want) {
				t.Errorf("it was logged %d times, want %d: %s", got, len(want), &log)
			}
		})
	}
}

// TestProtocolErrorsOfAnswers: each closes the connection and is counted, and a call that
// waits fails as perhaps applied. None gets what is not its answer.
func TestProtocolErrorsOfAnswers(t *testing.T) {
	const first, second = 1 << 16, 1<<16 | 1 // the ids of the two calls
	good := func(id uint32) []byte { return appendResponse(nil, id, &Response{Status: 1}) }
	large := func(id uint32, size int) []byte { return appendResponse(nil, id, &Response{Value: make([]byte, size)}) }
	for name, test := range map[string]struct {
		sent     []byte
		reason   string
		answered bool // the second call is
	}{
		"of no call":                     {good(1<<16 | 17), badOrder, false},
		"of a slot never used":           {good(1<<16 | 5), badOrder, false},
		"of the slot's former call":      {good(0), badOrder, false},
		"of the slot's next call":        {good(2 << 16), badOrder, false},
		"twice":                          {frames(good(second), good(second)), badOrder, true},
		"twice and large":                {frames(large(first, inlineMax+1), large(first, inlineMax+1)), badOrder, false},
		"small after large":              {frames(large(first, inlineMax+1), good(first)), badOrder, false},
		"data without an answer":         {dataFrame(first, 4), badSize, false},
		"data of no call":                {dataFrame(3<<16, 4), badOrder, false},
		"more data than announced":       {frames(large(first, inlineMax+1), dataFrame(first, inlineMax+2)), badSize, false},
		"carried for no connection":      {appendHeader(nil, frameCarriedResponse, first, 0), badType, false},
		"a request":                      {appendRequest(nil, first, new(Request), 0), badType, false},
		"ping":                           {appendHeader(nil, framePing, 0, 0), badType, false},
		"skip":                           {appendHeader(nil, frameSkip, 0, 0), badType, false},
		"an unknown type":                {appendHeader(nil, 99, 0, 0), badType, false},
		"a frame that is too long":       {appendHeader(nil, frameResponse, first, maxBody+1), badSize, false},
		"a value over the limit":         {large(first, 1<<20+1), badSize, false},
		"a head of garbage":              {append(appendHeader(nil, frameResponse, first, 3), 0, 0, 255), badGarbage, false},
		"an end inside a header":         {frames(good(second), cut(good(first), len(good(first))-5)), badTruncated, true},
		"an end inside a frame":          {frames(good(second), cut(good(first), 1)), badTruncated, true},
		"an end inside a value":          {frames(large(first, 1<<20), cut(dataFrame(first, chunkMax), 1)), badTruncated, false},
		"an end between frames is right": {frames(large(first, 1<<20), good(second), dataFrame(first, chunkMax)), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, Config{MaxValue: 1 << 20})
			q := p.Peer("peer")
			c := newCallConn(q, 0, opened{conn: newScript(test.sent), lim: testLimits})
			q.places[0].conn.Store(c)
			p.adopt(c)
			var pending [2]Pending
			for i := range pending {
				pending[i], _ = q.Start(t.Context(), &Request{Key: "k"})
			}
			c.mu.Lock()
			c.base += uint64(len(c.buf)) // as written
			c.buf = nil
			c.mu.Unlock()
			c.readLoop()
			for i := range pending {
				var resp Response
				err := pending[i].Wait(within(t), &resp)
				switch {
				case i == 0 || !test.answered:
					wantCallError(t, err, ErrConnLost, true)
				case err != nil || resp.Status != 1:
					t.Errorf("the second call: %+v, %v, want its answer", resp, err)
				}
			}
			want := map[string]uint64{test.reason: 1}
			if test.reason == "" {
				want = nil
			}
			if s := p.Stats(); !maps.Equal(s.BadFrames, want) || s.ConnsOut != 0 {
				t.Errorf("got bad frames %v and %d connections, want %v and none", s.BadFrames, s.ConnsOut, want)
			}
		})
	}
}

// TestPingsOfACallerThatDoesNotRead end its connection before they take memory.
func TestPingsOfACallerThatDoesNotRead(t *testing.T) {
	p, conn := pipeServer(t, sized(nil))
	// A goroutine of its own writes the answer and waits; the reader goes on.
	if _, err := conn.Write(appendRequest(nil, 1, &Request{Op: 1, Arg: ownMax + 1}, 0)); err != nil {
		t.Fatal(err)
	}
	var pings []byte
	for range 4096 {
		pings = appendHeader(pings, framePing, 1, 0)
	}
	// Whoever writes may have begun late, and taken as much as may wait: then as much again may.
	var err error
	for range 3 * 2 * bufferMax / len(pings) {
		if _, err = conn.Write(pings); err != nil {
			break
		}
	}
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want the connection closed", err)
	}
	eventually(t, "the connection is gone", func() bool { return p.Stats().ConnsIn == 0 })
}
