package httppool

import (
	"fmt"
	"testing"
	"time"
)

func TestNoticesAreRareAndBounded(t *testing.T) {
	var n notices
	now := time.Unix(1000, 0)
	for i := range 3 {
		if got, want := n.due("a", "x", now), i == 0; got != want {
			t.Errorf("notice %d: got %v, want %v", i, got, want)
		}
	}
	if !n.due("b", "x", now) || !n.due("a", "y", now) {
		t.Error("another peer or reason was held back")
	}
	if !n.due("a", "x", now.Add(noticeEvery)) {
		t.Error("after its time a notice was held back")
	}
	for i := range 2 * maxNotices {
		n.due(fmt.Sprint(i), "x", now.Add(noticeEvery))
	}
	if len(n.last) > maxNotices {
		t.Errorf("%d notices are remembered, want at most %d", len(n.last), maxNotices)
	}
	if !n.due("new", "x", now.Add(2*noticeEvery)) {
		t.Error("old notices still take all the room")
	}
}

func TestStats(t *testing.T) {
	server, addr := serverPool(t, Config{Handler: echoFast})
	client := newPool(t, Config{})
	for range 3 {
		checkEcho(t, client.Peer(addr), "", Request{Key: "k", Value: make([]byte, 1000)})
	}
	check := func(open int) {
		t.Helper()
		var c, s Stats
		eventually(t, "both ends count the same bytes", func() bool {
			c, s = client.Stats(), server.Stats()
			return c.BytesOut == s.BytesIn && c.BytesIn == s.BytesOut
		})
		if c.Calls != 3 || s.ServedFast != 3 || c.Dials != 1 || c.ConnsOut != open || s.ConnsIn != open {
			t.Errorf("got %+v and %+v", c, s)
		}
		if c.BytesOut < 3000 || c.BytesIn < 3000 {
			t.Errorf("got %d bytes to the server and %d back", c.BytesOut, c.BytesIn)
		}
	}
	check(1)
	client.Forget(addr)
	eventually(t, "both ends are closed", func() bool { return server.Stats().ConnsIn == 0 && client.Stats().ConnsOut == 0 })
	check(0) // the counts of connections that ended are kept
}
