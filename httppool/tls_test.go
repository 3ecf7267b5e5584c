package httppool

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"
)

// authority issues certificates for 127.0.0.1.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	a := authority{cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	a.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, _ = x509.ParseCertificate(der)
	return a
}

func (a authority) issue(t *testing.T) tls.Certificate {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func TestTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	mutual := tls.RequireAndVerifyClientCert
	for _, test := range []struct {
		name   string
		auth   tls.ClientAuthType
		client *tls.Config
		ok     bool
	}{
		{"server only", tls.NoClientCert, &tls.Config{RootCAs: ours.pool()}, true},
		{"unknown authority", tls.NoClientCert, &tls.Config{RootCAs: theirs.pool()}, false},
		{"mutual", mutual, &tls.Config{RootCAs: ours.pool(), Certificates: []tls.Certificate{ours.issue(t)}}, true},
		{"mutual without certificate", mutual, &tls.Config{RootCAs: ours.pool()}, false},
		{"mutual with a stranger's", mutual, &tls.Config{RootCAs: ours.pool(), Certificates: []tls.Certificate{theirs.issue(t)}}, false},
		{"plain client", tls.NoClientCert, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			streams := make(chan net.Conn, 1)
			server := newPool(t, Config{Handler: echoFast, OnStream: func(c net.Conn, _ string) { streams <- c }})
			ln, addr := listen(t)
			// As a server that would rather speak HTTP/2.
			serveOn(t, server, tls.NewListener(ln, &tls.Config{
				Certificates: []tls.Certificate{ours.issue(t)}, ClientAuth: test.auth, ClientCAs: ours.pool(),
				NextProtos: []string{"h2", "http/1.1"},
			}))
			client := newPool(t, Config{TLS: test.client})
			q := client.Peer(addr)
			if !test.ok {
				err := q.Call(within(t), new(Request), new(Response))
				if test.client == nil {
					wantCallError(t, err, ErrRefused, false) // 400: an HTTP request to an HTTPS server
				} else {
					wantCallError(t, err, ErrUnreachable, false)
				}
				return
			}
			for _, size := range []int{0, 100, inlineMax + 1, 1 << 20} {
				checkEcho(t, q, "", Request{Key: "k", Value: make([]byte, size)})
			}
			conn, err := client.DialStream(within(t), addr)
			if err != nil {
				t.Fatal(err)
			}
			conn.Write([]byte("x"))
			(<-streams).Close()
			conn.Close()
		})
	}
}
