package certs_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/meshtest/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// shake is a handshake of a configuration with itself, and the certificate that the client saw.
func shake(t *testing.T, c *tls.Config) (tls.ConnectionState, error) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	mine := c.Clone()
	mine.ServerName = "cachemesh"
	server, client := tls.Server(far, c), tls.Client(near, mine)
	served := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		err := server.HandshakeContext(ctx)
		if err != nil {
			far.Close()
		}
		served <- err
	}()
	err := client.HandshakeContext(ctx)
	if err != nil {
		near.Close()
	}
	return client.ConnectionState(), errors.Join(err, <-served)
}

// TestRenewal: a certificate that was renewed is shown without anybody being told; while its files
// do not fit each other the one before is.
func TestRenewal(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		authority, dir := kit.NewAuthority(t), t.TempDir()
		f := authority.Write(t, dir, time.Hour, "cachemesh")
		c, err := cachemesh.TLSFromFiles(f.Cert, f.Key, f.CA)
		kit.Must(t, err)
		first, err := shake(t, c)
		kit.Must(t, err)
		renewed := authority.Write(t, t.TempDir(), 3*time.Hour, "cachemesh")
		move := func(from, to string) {
			t.Helper()
			data, err := os.ReadFile(from)
			kit.Must(t, err)
			kit.Must(t, os.WriteFile(to, data, 0o600))
			kit.Must(t, os.Chtimes(to, time.Time{}, time.Now().Add(time.Hour)))
			time.Sleep(time.Second)
		}
		move(renewed.Cert, f.Cert) // and its key comes later
		if got, err := shake(t, c); err != nil || !got.PeerCertificates[0].Equal(first.PeerCertificates[0]) {
			t.Errorf("with half of the new certificate: %v", err)
		}
		move(renewed.Key, f.Key)
		second, err := shake(t, c)
		if err != nil || second.PeerCertificates[0].Equal(first.PeerCertificates[0]) {
			t.Errorf("the certificate was renewed, and is not shown: %v", err)
		}
		time.Sleep(2 * time.Hour) // the first has expired
		if _, err := shake(t, c); err != nil {
			t.Errorf("after the end of the first: %v", err)
		}
		kit.Must(t, os.Remove(f.Key))
		time.Sleep(time.Second)
		if _, err := shake(t, c); err != nil {
			t.Errorf("while the key is missing: %v", err)
		}
		time.Sleep(2 * time.Hour)
		if _, err := shake(t, c); err == nil || !strings.Contains(err.Error(), "has expired") || !strings.Contains(err.Error(), f.Key) {
			t.Errorf("an expired certificate without a key to the next: %v", err)
		}
		authority.Write(t, dir, time.Hour, "cachemesh")
		time.Sleep(time.Second)
		if _, err := shake(t, c); err != nil {
			t.Errorf("all files are there again: %v", err)
		}
	})
}

// TestMeshOutlivesItsCertificates: members whose certificates have expired, and were renewed, let a
// new member in.
func TestMeshOutlivesItsCertificates(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		authority, dir := kit.NewAuthority(t), t.TempDir()
		authority.Write(t, dir, 30*time.Second, "cachemesh")
		secure := func(_ int, o *cachemesh.Options) {
			c, err := cachemesh.TLSFromFiles(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), filepath.Join(dir, "ca.crt"))
			kit.Must(t, err)
			c.ServerName = "cachemesh"
			o.TLS, o.Secret = c, kit.SecretA
		}
		m := kit.New(t, 2, secure)
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
		for _, g := range groups {
			kit.MustGet(t, g, "before", "value of before")
		}
		time.Sleep(29 * time.Second)
		authority.Write(t, dir, time.Hour, "cachemesh")
		time.Sleep(10 * time.Second)
		m.Nodes = append(m.Nodes, m.NewNode(2, secure))
		g, err := cachemesh.NewGroup(m.Nodes[2], "g", kit.Echo, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		kit.Must(t, m.Nodes[2].Start())
		m.Settle(3)
		for i := range 3 {
			key := m.KeyOf("g", i)
			kit.MustGet(t, g, key, "value of "+key)
			kit.MustGet(t, groups[0], key, "value of "+key)
		}
		for i, n := range m.Nodes {
			if refused := n.Stats().Refused["tls"]; refused != 0 {
				t.Errorf("member %d: %d handshakes failed", i, refused)
			}
		}
	})
}

// TestFilesThatCannotBe names which file is at fault.
func TestFilesThatCannotBe(t *testing.T) {
	f, other := kit.NewAuthority(t).Write(t, t.TempDir(), time.Hour), kit.NewAuthority(t).Write(t, t.TempDir(), time.Hour)
	endless := filepath.Join(t.TempDir(), "endless") // a device would be: it is larger than any that is meant
	if err := errors.Join(os.WriteFile(endless, nil, 0o600), os.Truncate(endless, 8<<20)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ option, cert, key, ca string }{
		{"cert", endless, f.Key, f.CA},
		{"key", f.Cert, endless, f.CA},
		{"ca", f.Cert, f.Key, endless},
		{"cert", f.Cert + ".not", f.Key, f.CA},
		{"key", f.Cert, f.Key + ".not", f.CA},
		{"ca", f.Cert, f.Key, f.CA + ".not"},
		{"cert", f.Key, f.Key, f.CA},
		{"cert", f.Cert, other.Key, f.CA},
		{"ca", f.Cert, f.Key, f.Key},
		{"cert", "", "", f.CA},
	} {
		c, err := cachemesh.TLSFromFiles(test.cert, test.key, test.ca)
		if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != test.option || c != nil {
			t.Errorf("%+v: %v", test, err)
		} else if large := slices.Contains([]string{test.cert, test.key, test.ca}, endless); large != strings.Contains(err.Error(), "larger than") {
			t.Errorf("%+v: %v", test, err)
		}
	}
}
