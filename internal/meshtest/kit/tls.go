package kit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Two secrets of a mesh.
var (
	SecretA = []byte("a secret of thirty-two bytes ...")
	SecretB = []byte("another secret of as many bytes.")
)

// An Authority issues certificates for 127.0.0.1.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority returns an authority that nobody else knows.
func NewAuthority(t *testing.T) Authority {
	a := Authority{cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Must(t, err)
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, a.key.Public(), a.key)
	Must(t, err)
	a.cert, err = x509.ParseCertificate(der)
	Must(t, err)
	return a
}

// Pool returns trust in this authority.
func (a Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// Mutual returns the options of a member: its own certificate, for these host
// names or else for 127.0.0.1, and trust in whom this authority certified.
func (a Authority) Mutual(t *testing.T, names ...string) *tls.Config {
	der, key := a.issue(t, time.Hour, names)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs:      a.Pool(), ClientCAs: a.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
	}
}

// issue signs a certificate as Mutual has it.
func (a Authority) issue(t *testing.T, lives time.Duration, names []string) ([]byte, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Must(t, err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(lives), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: names,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if len(names) > 0 {
		leaf.IPAddresses = nil
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, key.Public(), a.key)
	Must(t, err)
	return der, key
}

// TLSFiles are where a member's certificate, its key and the authority's certificate are.
type TLSFiles struct{ Cert, Key, CA string }

// Write writes a certificate as Mutual has it into a directory, or renews what is there.
func (a Authority) Write(t *testing.T, dir string, lives time.Duration, names ...string) TLSFiles {
	f := TLSFiles{filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), filepath.Join(dir, "ca.crt")}
	cert, private := a.issue(t, lives, names)
	key, err := x509.MarshalPKCS8PrivateKey(private)
	Must(t, err)
	for path, block := range map[string]*pem.Block{f.Cert: {Type: "CERTIFICATE", Bytes: cert}, f.Key: {Type: "PRIVATE KEY", Bytes: key},
		f.CA: {Type: "CERTIFICATE", Bytes: a.cert.Raw}} {
		before := time.Now()
		if info, err := os.Stat(path); err == nil {
			before = info.ModTime()
		}
		Must(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
		Must(t, os.Chtimes(path, time.Time{}, before.Add(time.Second))) // another, however coarse the clock of files is
	}
	return f
}
