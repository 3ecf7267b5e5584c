package httppool_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// Openings of strangers, none of which goes on after it.
const (
	headNoBody  = "POST /_cachemesh/peer HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n"
	halfAHead   = "GET /_cachemesh/peer HTTP/1.1\r\nHost: h\r\n"
	halfAHello  = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
	upgradeBody = "Host: h\r\nContent-Length: 100\r\nConnection: Upgrade\r\nUpgrade: cachemesh/1\r\nCachemesh-Id: YQ\r\n" +
		"Cachemesh-Nonce: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\nCachemesh-Limits: 4096 67108864\r\n"
	silentUpgrade = "GET /_cachemesh/peer HTTP/1.1\r\n" + upgradeBody
	silentStream  = "GET /_cachemesh/gossip HTTP/1.1\r\n" + upgradeBody
	withAuth      = "Cachemesh-Auth: hmac-sha256\r\n\r\n"
)

// TestStrangersLockNobodyOut holds 400 connections to a member's port. Another joins
// all the same, at once, and the strangers are soon gone.
func TestStrangersLockNobodyOut(t *testing.T) {
	ours := kit.NewAuthority(t)
	for _, test := range []struct {
		name     string
		edit     kit.Edit
		openings []string
	}{
		{"no secret", func(int, *cachemesh.Options) {},
			[]string{headNoBody, halfAHead, "", silentUpgrade + "\r\n", silentStream + "\r\n", silentUpgrade + "\r\n"}},
		{"secret", func(_ int, o *cachemesh.Options) { o.Secret = kit.SecretA },
			[]string{headNoBody, halfAHead, "", silentUpgrade + withAuth, silentStream + withAuth, silentUpgrade + "\r\n"}},
		{"secret, upgrades alone", func(_ int, o *cachemesh.Options) { o.Secret = kit.SecretA },
			[]string{silentUpgrade + withAuth}},
		{"TLS", func(_ int, o *cachemesh.Options) { o.TLS, o.Secret = ours.Mutual(t), kit.SecretA },
			[]string{"", halfAHello}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := kit.NewReal(t, 2, test.edit)
			gone := make(chan error, 400)
			end := time.Now().Add(15 * time.Second)
			for i := range cap(gone) {
				conn, err := net.Dial("tcp", m.Nodes[0].Addr())
				kit.Must(t, err)
				defer conn.Close()
				io.WriteString(conn, test.openings[i%len(test.openings)]) // an error: it is gone already
				go func() {
					conn.SetReadDeadline(end)
					_, err := io.Copy(io.Discard, conn)
					gone <- err
				}()
			}
			n := m.NewNode(2, test.edit, func(_ int, o *cachemesh.Options) { o.RequireJoin = true })
			m.Nodes = append(m.Nodes, n)
			start := time.Now()
			kit.Must(t, n.Start())
			took := time.Since(start)
			if took > time.Second {
				t.Errorf("a member joined after %v", took)
			}
			m.Settle(3)
			kit.Must(t, n.Set([]byte("k"), []byte("v"), 0))
			for range cap(gone) {
				if e, ok := (<-gone).(net.Error); ok && e.Timeout() {
					t.Fatal("a stranger's connection is still open after 15s")
				}
			}
			t.Logf("joined after %v, all strangers gone after %v, refused: %v", took, time.Since(start), m.Nodes[0].Stats().Refused)
		})
	}
}
