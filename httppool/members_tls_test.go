package httppool_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

func TestMutualTLS(t *testing.T) {
	ours := kit.NewAuthority(t)
	m := kit.NewReal(t, 3, func(_ int, o *cachemesh.Options) { o.TLS, o.Secret = ours.Mutual(t), kit.SecretA })
	groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
	for i := range 30 {
		key := m.KeysOf("g", i%3, i+1)[i]
		kit.MustGet(t, groups[(i+1)%3], key, "value of "+key)
		kit.Must(t, groups[(i+2)%3].Set(kit.Context(t), key, "set", 0))
		kit.MustGet(t, groups[i%3], key, "set")
	}
	// Who has no certificate cannot even ask.
	plain := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ours.Pool()}}, Timeout: kit.Patience}
	defer plain.CloseIdleConnections()
	if resp, err := plain.Get("https://" + m.Nodes[0].Addr() + "/_cachemesh/peer"); err == nil {
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
			o.AdvertiseAddr, o.BootstrapNodes = kit.Host(i)+":3000", []string{"host0:3000"}
		}, kit.Host},
		{"of the configuration", func(i int, o *cachemesh.Options) { o.TLS.ServerName = "mesh.local" },
			func(int) string { return "mesh.local" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				ours := kit.NewAuthority(t)
				m := kit.New(t, 3, func(i int, o *cachemesh.Options) {
					o.TLS, o.Secret, o.RequireJoin = ours.Mutual(t, test.cert(i)), kit.SecretA, i > 0
					test.edit(i, o)
				})
				groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
				for i, g := range groups {
					key := m.KeyOf("g", (i+1)%3)
					kit.MustGet(t, g, key, "value of "+key)
					kit.Must(t, groups[(i+2)%3].Delete(ctx, key))
				}
				// A cut that outlasts gossip's memory of the dead heals by name, too.
				m.Net.Partition([]string{kit.Host(0)}, []string{kit.Host(1), kit.Host(2)})
				time.Sleep(2 * time.Minute)
				m.Net.Heal()
				m.Settle(3)
			})
		})
	}
}

// TestTLSOfAnotherName: a certificate for another name is refused, and said so.
func TestTLSOfAnotherName(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		ours := kit.NewAuthority(t)
		m := kit.New(t, 1, func(i int, o *cachemesh.Options) {
			o.TLS, o.Secret, o.AdvertiseAddr = ours.Mutual(t, "other.local"), kit.SecretA, "host0:3000"
		})
		n := m.NewNode(1, func(i int, o *cachemesh.Options) {
			o.TLS, o.Secret, o.AdvertiseAddr, o.BootstrapNodes = ours.Mutual(t, "host1"), kit.SecretA, "host1:3000", []string{"host0:3000"}
		})
		defer n.Close()
		if err := n.Start(); !errors.Is(err, cachemesh.ErrJoin) || !strings.Contains(err.Error(), "other.local") {
			t.Errorf("Start: %v, want ErrJoin naming other.local", err)
		}
	})
}

// TestStrangersCannotJoin: members with another authority's certificates, or none.
func TestStrangersCannotJoin(t *testing.T) {
	ours, theirs := kit.NewAuthority(t), kit.NewAuthority(t)
	log := new(kit.Log)
	m := kit.NewReal(t, 1, func(_ int, o *cachemesh.Options) {
		o.TLS, o.Secret, o.Logger = ours.Mutual(t), kit.SecretA, log.Logger()
	})
	kit.Must(t, m.Nodes[0].Set([]byte("k"), []byte("v"), 0))
	half := ours.Mutual(t) // trusts us, is not trusted by us
	half.Certificates = theirs.Mutual(t).Certificates
	for name, config := range map[string]*tls.Config{"another authority": theirs.Mutual(t), "its certificate only": half, "no TLS": nil} {
		t.Run(name, func(t *testing.T) {
			before, theirLog := m.Nodes[0].Stats().Refused["tls"], new(kit.Log)
			n := m.NewNode(1, func(_ int, o *cachemesh.Options) {
				o.TLS, o.Secret, o.JoinTimeout, o.Logger = config, kit.SecretA, 500*time.Millisecond, theirLog.Logger()
			})
			defer n.Close()
			if err := n.Start(); !errors.Is(err, cachemesh.ErrJoin) || !strings.Contains(err.Error(), m.Nodes[0].Addr()) {
				t.Errorf("Start: %v, want ErrJoin naming %s", err, m.Nodes[0].Addr())
			} else {
				t.Log(err)
			}
			if m.Nodes[0].Stats().Refused["tls"] == before {
				t.Error("the member that refused it did not count that")
			}
			if config != nil && (n.Stats().Refused["tls"] == 0 || theirLog.Count("TLS handshake with a peer failed") != 1) {
				t.Errorf("it counted %v, and said:\n%s", n.Stats().Refused, theirLog)
			}
			if len(m.Nodes[0].Members()) != 1 {
				t.Errorf("it is a member: %v", m.Nodes[0].Members())
			}
		})
	}
	seam.Inside(m.Nodes[0]).FlushLog()
	if n := log.Count("TLS"); n != 1 {
		t.Errorf("the refusing member said so %d times, want once, as all came from one host:\n%s", n, log)
	}
}
