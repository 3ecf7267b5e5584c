package httppool

import (
	"sync"
	"testing"
	"testing/synctest"
)

// TestMoreCallsThanSlots: when all slots of a connection are taken, further calls go over
// the next one, which is dialled for them.
func TestMoreCallsThanSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, release := newMemNet(), make(chan struct{})
		server := newPool(t, Config{Handler: handlerFuncs{fast: func(_ string, req *Request, _ *Response) bool {
			if req.Op == 1 {
				<-release // nothing is answered on this connection meanwhile
			}
			return true
		}}})
		serveOn(t, server, mem)
		client := newPool(t, Config{Dial: mem.Dial})
		q := client.Peer("a")
		if err := q.Call(t.Context(), new(Request), new(Response)); err != nil {
			t.Fatal(err)
		}
		var calls sync.WaitGroup
		call := func(op uint8) {
			if err := q.Call(t.Context(), &Request{Op: op}, new(Response)); err != nil {
				t.Error(err)
			}
		}
		calls.Go(func() { call(1) })
		synctest.Wait()
		for range maxSlots {
			calls.Go(func() { call(0) })
		}
		synctest.Wait()
		if got := client.Stats(); got.ConnsOut != 2 || got.CallErrors != 0 {
			t.Errorf("%d connections and %d errors, want 2 and none", got.ConnsOut, got.CallErrors)
		}
		call(0) // over the second
		close(release)
		calls.Wait()
	})
}
