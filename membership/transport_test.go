package membership

import (
	"net"
	"testing"
)

// TestPacketsHaveMemoryOfTheirOwn: memberlist keeps parts of a packet while the next ones are read.
func TestPacketsHaveMemoryOfTheirOwn(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		sender := c.net.listen(addrOf(2))
		tr := &transport{addr: addrOf(1), conn: c.net.listen(addrOf(1)), journal: newJournal(nil), heard: c.launch(3).heard}
		tr.start(c.net.dialer(addrOf(1)), nil)
		defer tr.Shutdown()
		want := []string{"first packet", "second", "3"}
		for _, s := range want {
			sender.WriteTo([]byte(s), net.UDPAddrFromAddrPort(addrOf(1)))
		}
		var got [][]byte
		for range want {
			got = append(got, (<-tr.PacketCh()).Buf)
		}
		for i, s := range want {
			if string(got[i]) != s {
				t.Errorf("packet %d is %q, want %q", i, got[i], s)
			}
		}
	})
}
