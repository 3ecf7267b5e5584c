package member_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/member"
)

var silent = slog.New(slog.DiscardHandler)

func local() config.Config {
	c := config.Default()
	c.Listen, c.Redis.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0", "off"
	return c
}

func start(t *testing.T, c config.Config) *member.Member {
	t.Helper()
	m, err := member.Start(c, "test", silent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// certificate writes a certificate for this machine that signs itself, and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	c := local()
	c.Redis.Cert, c.Redis.Key, c.Redis.ClientCA = cert, key, cert
	c.Secret, c.TLS = "0123456789abcdef", config.MeshTLS{Cert: cert, Key: key, CA: cert}
	first := start(t, c)
	c.Bootstrap, c.RequireJoin = []string{first.Node.Addr()}, true
	second := start(t, c)

	roots := x509.NewCertPool()
	pemCert, _ := os.ReadFile(cert)
	roots.AppendCertsFromPEM(pemCert)
	ask := func(m *member.Member, o *tls.Config) error {
		client := goredis.NewClient(&goredis.Options{Addr: m.RedisAddr.String(), TLSConfig: o, MaxRetries: -1})
		defer client.Close()
		return client.Set(t.Context(), "k", "v", 0).Err()
	}
	for _, m := range []*member.Member{first, second} {
		if err := ask(m, &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}); err != nil {
			t.Error(err)
		}
		if err := ask(m, &tls.Config{RootCAs: roots}); err == nil {
			t.Error("a client without a certificate was let in")
		}
		if err := ask(m, nil); err == nil {
			t.Error("a client without TLS was let in")
		}
	}
	c.TLS.CA = key
	if _, err := member.Start(c, "test", silent); err == nil {
		t.Error("a key was taken for who signs certificates")
	}
}

// A socket that a process left there that is gone makes room; one in use does not.
func TestSockets(t *testing.T) {
	c := local()
	c.Redis.Listen, c.Redis.Socket = "off", filepath.Join(t.TempDir(), "redis")
	left, err := net.Listen("unix", c.Redis.Socket)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	start(t, c)
	client := goredis.NewClient(&goredis.Options{Network: "unix", Addr: c.Redis.Socket})
	defer client.Close()
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if at, err := os.Stat(c.Redis.Socket); err != nil || at.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", at.Mode(), err)
	}
	if m, err := member.Start(c, "test", silent); err == nil {
		m.Close()
		t.Error("two members have one socket")
	}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("after another member tried: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Redis.Socket = file
	if m, err := member.Start(c, "test", silent); err == nil {
		m.Close()
		t.Error("a file was taken for a socket")
	}
	if got, _ := os.ReadFile(file); string(got) != "precious" {
		t.Error("a file was removed for a socket")
	}
}
