package cachemesh_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// An authority issues certificates for 127.0.0.1.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	a := authority{cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, a.key.Public(), a.key)
	must(t, err)
	a.cert, err = x509.ParseCertificate(der)
	must(t, err)
	return a
}

func (a authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// mutual returns the options of a member: its own certificate, and trust in
// whom this authority certified.
func (a authority) mutual(t *testing.T) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, key.Public(), a.key)
	must(t, err)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs:      a.pool(), ClientCAs: a.pool(), ClientAuth: tls.RequireAndVerifyClientCert,
	}
}

func TestMutualTLS(t *testing.T) {
	ours := newAuthority(t)
	m := newRealMesh(t, 3, func(_ int, o *cachemesh.Options) { o.TLS = ours.mutual(t) })
	groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})
	for i := range 30 {
		key := m.keysOf("g", i%3, i+1)[i]
		mustGet(t, groups[(i+1)%3], key, "value of "+key)
		must(t, groups[(i+2)%3].Set(testContext(t), key, "set", 0))
		mustGet(t, groups[i%3], key, "set")
	}
	// Who has no certificate cannot even ask.
	plain := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ours.pool()}}, Timeout: patience}
	defer plain.CloseIdleConnections()
	if resp, err := plain.Get("https://" + m.nodes[0].Addr() + "/_cachemesh/peer"); err == nil {
		resp.Body.Close()
		t.Errorf("a client without a certificate got %s", resp.Status)
	}
}

// TestStrangersCannotJoin: members with another authority's certificates, or none.
func TestStrangersCannotJoin(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	m := newRealMesh(t, 1, func(_ int, o *cachemesh.Options) { o.TLS = ours.mutual(t) })
	must(t, m.nodes[0].Set([]byte("k"), []byte("v"), 0))
	half := ours.mutual(t) // trusts us, is not trusted by us
	half.Certificates = theirs.mutual(t).Certificates
	for name, config := range map[string]*tls.Config{"another authority": theirs.mutual(t), "its certificate only": half, "no TLS": nil} {
		t.Run(name, func(t *testing.T) {
			n := m.newNode(1, func(_ int, o *cachemesh.Options) {
				o.TLS, o.RequireJoin, o.JoinTimeout = config, true, 500*time.Millisecond
			})
			defer n.Close()
			if err := n.Start(); !errors.Is(err, cachemesh.ErrJoin) {
				t.Errorf("Start: %v, want ErrJoin", err)
			} else {
				t.Log(err)
			}
			if len(m.nodes[0].Members()) != 1 {
				t.Errorf("it is a member: %v", m.nodes[0].Members())
			}
		})
	}
}
