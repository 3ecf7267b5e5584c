package member_test

import (
	"bytes"
	"crypto/tls"
	"net"
	"os"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
)

// Certificates that are renewed are shown without a restart, to Redis clients and to other members; what does
// not fit meanwhile ends nothing.
func TestCertificatesAreRenewed(t *testing.T) {
	cert, key := certificate(t)
	c := local()
	c.Redis.Cert, c.Redis.Key = cert, key
	c.Secret, c.TLS = "0123456789abcdef", config.MeshTLS{Cert: cert, Key: key, CA: cert}
	m := start(t, c)
	former, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	shown := func(addr string) []byte {
		t.Helper()
		nc, err := net.DialTimeout("tcp", addr, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		secure := tls.Client(nc, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{former}})
		defer secure.Close()
		if err := secure.Handshake(); err != nil {
			t.Fatal(err)
		}
		return secure.ConnectionState().PeerCertificates[0].Raw
	}
	newCert, newKey := certificate(t)
	next, err := tls.LoadX509KeyPair(newCert, newKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(newCert, cert); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{m.RedisAddr.String(), m.Node.Addr()} {
		if !bytes.Equal(shown(addr), former.Certificate[0]) {
			t.Errorf("%s shows a certificate whose key is not there", addr)
		}
	}
	if err := os.Rename(newKey, key); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{m.RedisAddr.String(), m.Node.Addr()} {
		for end := time.Now().Add(10 * time.Second); !bytes.Equal(shown(addr), next.Certificate[0]); time.Sleep(20 * time.Millisecond) { // files are looked at once a second
			if time.Now().After(end) {
				t.Fatalf("%s goes on showing the former certificate", addr)
			}
		}
	}
}
