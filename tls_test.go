package cachemesh_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/http"
	"strings"
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

// mutual returns the options of a member: its own certificate, for these host
// names or else for 127.0.0.1, and trust in whom this authority certified.
func (a authority) mutual(t *testing.T, names ...string) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: names,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if len(names) > 0 {
		leaf.IPAddresses = nil
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
	m := newRealMesh(t, 3, func(_ int, o *cachemesh.Options) { o.TLS, o.Secret = ours.mutual(t), secretA })
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

// TestTLSOfHostNames: certificates are for host names, as they are given to
// services, and addresses are by name. What gossip dials is an IP address, and is
// verified against the name that the seed or the member has.
func TestTLSOfHostNames(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(i int, o *cachemesh.Options)
		cert func(i int) string
	}{
		{"advertised", func(i int, o *cachemesh.Options) {
			o.AdvertiseAddr, o.BootstrapNodes = hostName(i)+":3000", []string{"host0:3000"}
		}, hostName},
		{"of the configuration", func(i int, o *cachemesh.Options) { o.TLS.ServerName = "mesh.local" },
			func(int) string { return "mesh.local" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				ours := newAuthority(t)
				m := newMesh(t, 3, func(i int, o *cachemesh.Options) {
					o.TLS, o.Secret, o.RequireJoin = ours.mutual(t, test.cert(i)), secretA, i > 0
					test.edit(i, o)
				})
				groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})
				for i, g := range groups {
					key := m.keyOf("g", (i+1)%3)
					mustGet(t, g, key, "value of "+key)
					must(t, groups[(i+2)%3].Delete(ctx, key))
				}
				// A cut that outlasts gossip's memory of the dead heals by name, too.
				m.net.Partition([]string{hostName(0)}, []string{hostName(1), hostName(2)})
				time.Sleep(2 * time.Minute)
				m.net.Heal()
				m.settle(3)
			})
		})
	}
}

// TestTLSOfAnotherName: a certificate for another name is refused, and said so.
func TestTLSOfAnotherName(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		ours := newAuthority(t)
		m := newMesh(t, 1, func(i int, o *cachemesh.Options) {
			o.TLS, o.Secret, o.AdvertiseAddr = ours.mutual(t, "other.local"), secretA, "host0:3000"
		})
		n := m.newNode(1, func(i int, o *cachemesh.Options) {
			o.TLS, o.Secret, o.AdvertiseAddr, o.BootstrapNodes = ours.mutual(t, "host1"), secretA, "host1:3000", []string{"host0:3000"}
		})
		defer n.Close()
		if err := n.Start(); !errors.Is(err, cachemesh.ErrJoin) || !strings.Contains(err.Error(), "other.local") {
			t.Errorf("Start: %v, want ErrJoin naming other.local", err)
		}
	})
}

// TestStrangersCannotJoin: members with another authority's certificates, or none.
func TestStrangersCannotJoin(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	log := new(record)
	m := newRealMesh(t, 1, func(_ int, o *cachemesh.Options) { o.TLS, o.Secret, o.Logger = ours.mutual(t), secretA, log.logger() })
	must(t, m.nodes[0].Set([]byte("k"), []byte("v"), 0))
	half := ours.mutual(t) // trusts us, is not trusted by us
	half.Certificates = theirs.mutual(t).Certificates
	for name, config := range map[string]*tls.Config{"another authority": theirs.mutual(t), "its certificate only": half, "no TLS": nil} {
		t.Run(name, func(t *testing.T) {
			before, theirLog := m.nodes[0].Stats().Refused["tls"], new(record)
			n := m.newNode(1, func(_ int, o *cachemesh.Options) {
				o.TLS, o.Secret, o.JoinTimeout, o.Logger = config, secretA, 500*time.Millisecond, theirLog.logger()
			})
			defer n.Close()
			if err := n.Start(); !errors.Is(err, cachemesh.ErrJoin) || !strings.Contains(err.Error(), m.nodes[0].Addr()) {
				t.Errorf("Start: %v, want ErrJoin naming %s", err, m.nodes[0].Addr())
			} else {
				t.Log(err)
			}
			if m.nodes[0].Stats().Refused["tls"] == before {
				t.Error("the member that refused it did not count that")
			}
			if config != nil && (n.Stats().Refused["tls"] == 0 || theirLog.count("TLS handshake with a peer failed") != 1) {
				t.Errorf("it counted %v, and said:\n%s", n.Stats().Refused, theirLog)
			}
			if len(m.nodes[0].Members()) != 1 {
				t.Errorf("it is a member: %v", m.nodes[0].Members())
			}
		})
	}
	cachemesh.FlushLog(m.nodes[0])
	if n := log.count("TLS"); n != 1 {
		t.Errorf("the refusing member said so %d times, want once, as all came from one host:\n%s", n, log)
	}
}
