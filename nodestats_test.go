package cachemesh_test

import (
	"net"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestGarbageIsCounted sends bytes that are no peer protocol over an upgraded
// connection, and bytes that are not even HTTP.
func TestGarbageIsCounted(t *testing.T) {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	conn, err := net.Dial("tcp", node.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write([]byte("GET /_cachemesh/peer HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: cachemesh/99\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	n, _ := conn.Read(answer)
	t.Logf("another version is answered %.40q", answer[:n])
	s := node.Stats()
	if len(s.Refused) != 1 {
		t.Errorf("Refused = %v, want one reason", s.Refused)
	}
	if s.Members != 1 || !s.Settled || s.Epoch == 0 {
		t.Errorf("a node alone says of itself: %+v", s)
	}
}
