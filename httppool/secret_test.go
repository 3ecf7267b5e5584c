package httppool_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

func TestSecret(t *testing.T) {
	m := kit.NewReal(t, 3, func(_ int, o *cachemesh.Options) { o.Secret = kit.SecretA })
	groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
	for i, g := range groups {
		key := m.KeyOf("g", (i+1)%3)
		kit.Must(t, g.Set(kit.Context(t), key, "v", 0))
		kit.MustGet(t, groups[(i+2)%3], key, "v")
	}
}

// TestWithoutTheSecret: whoever does not know it can neither join nor read,
// write or invalidate, and the member that refuses says so once.
func TestWithoutTheSecret(t *testing.T) {
	for _, test := range []struct {
		name           string
		ours, stranger []byte
	}{{"none", kit.SecretA, nil}, {"wrong", kit.SecretA, kit.SecretB}, {"one, and we have none", nil, kit.SecretA}} {
		t.Run(test.name, func(t *testing.T) {
			log, theirLog := new(kit.Log), new(kit.Log)
			m := kit.NewReal(t, 1, func(_ int, o *cachemesh.Options) { o.Secret, o.Logger = test.ours, log.Logger() })
			groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
			ctx := kit.Context(t)
			kit.Must(t, groups[0].Set(ctx, "k", "v", 0))

			stranger := m.NewNode(1, func(_ int, o *cachemesh.Options) {
				o.Secret, o.Logger, o.JoinTimeout = test.stranger, theirLog.Logger(), 700*time.Millisecond
			})
			defer stranger.Close()
			seed := m.Nodes[0].Addr()
			if err := stranger.Start(); !errors.Is(err, cachemesh.ErrJoin) || !strings.Contains(err.Error(), seed) || !strings.Contains(err.Error(), "Options.Secret") {
				t.Errorf("Start: %v, want ErrJoin naming %s and Options.Secret", err, seed)
			}
			if len(m.Nodes[0].Members()) != 1 {
				t.Fatalf("it joined: %v", m.Nodes[0].Members())
			}
			alone := m.NewNode(2, func(_ int, o *cachemesh.Options) { o.Secret, o.BootstrapNodes = test.stranger, nil })
			defer alone.Close()
			kit.Must(t, alone.Start())
			call(t, alone, seed, "k")
			kit.MustGet(t, groups[0], "k", "v")
			seam.Inside(m.Nodes[0]).FlushLog()
			seam.Inside(stranger).FlushLog()
			if n := log.Count("ecret"); n != 1 {
				t.Errorf("the refusing member said so %d times, want once:\n%s", n, log)
			}
			if theirLog.Count("ecret") == 0 {
				t.Errorf("the refused member does not say why:\n%s", theirLog)
			}
			t.Logf("%s", log)
		})
	}
}

// call asks a member directly, past gossip, and wants to be refused.
func call(t *testing.T, from *cachemesh.Node, addr, key string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for i, op := range []uint8{wire.OpGet, wire.OpSet, wire.OpDelete, wire.OpInvalidate, wire.OpClear, wire.OpFence} {
		k := wire.NewCall(op, "g", key)
		err := seam.Inside(from).Call(ctx, addr, &k.Req, &k.Resp)
		k.Free()
		if err == nil {
			t.Errorf("operation %d was answered", op)
		} else if !strings.Contains(err.Error(), "ecret") && (i == 0 || !strings.Contains(err.Error(), "unreachable")) {
			t.Errorf("operation %d: %v", op, err) // after the first the peer is not dialled for a while
		}
	}
}

// TestOptionsAreCopied: what the caller does with its options after New changes
// nothing.
func TestOptionsAreCopied(t *testing.T) {
	seed := kit.NewReal(t, 1, func(_ int, o *cachemesh.Options) { o.Secret = kit.SecretA })
	var given cachemesh.Options
	n := seed.NewNode(1, func(_ int, o *cachemesh.Options) {
		o.Secret, o.AcceptSecrets, o.RequireJoin = bytes.Clone(kit.SecretA), [][]byte{bytes.Clone(kit.SecretB)}, true
		given = *o
	})
	defer n.Close()
	clear(given.Secret)
	clear(given.AcceptSecrets[0])
	given.AcceptSecrets[0] = nil
	given.BootstrapNodes[0] = "192.0.2.9:1"
	kit.Must(t, n.Start())
	zeros := seed.NewNode(2, func(_ int, o *cachemesh.Options) {
		o.Secret, o.BootstrapNodes, o.JoinTimeout = make([]byte, len(kit.SecretA)), []string{n.Addr()}, 300*time.Millisecond
	})
	defer zeros.Close()
	if err := zeros.Start(); !errors.Is(err, cachemesh.ErrJoin) {
		t.Errorf("a member with a secret of zeros: Start: %v, want ErrJoin", err)
	}

	ours := kit.NewAuthority(t)
	config := ours.Mutual(t)
	secure, err := cachemesh.New(cachemesh.Options{TLS: config, Secret: kit.SecretA})
	kit.Must(t, err)
	defer secure.Close()
	config.ClientAuth, config.Certificates[0] = tls.NoClientCert, tls.Certificate{}
	kit.Must(t, secure.Start())
	with := func(c *tls.Config) error {
		c.MaxVersion = tls.VersionTLS12 // in which a handshake ends after the client was verified
		conn, err := tls.Dial("tcp", secure.Addr(), c)
		if err == nil {
			conn.Close()
		}
		return err
	}
	kit.Must(t, with(ours.Mutual(t)))
	if err := with(&tls.Config{RootCAs: ours.Pool()}); err == nil {
		t.Error("a client without a certificate was let in")
	}

	sentinels := []error{kit.ErrOrigin}
	m := kit.NewReal(t, 2)
	groups := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { return "", kit.ErrOrigin }, cachemesh.GroupOptions[string]{Errors: sentinels})
	sentinels[0] = errors.New("another")
	if _, err := groups[0].Get(kit.Context(t), m.KeyOf("g", 1)); !errors.Is(err, kit.ErrOrigin) {
		t.Errorf("Get: %v, want the sentinel that the options had", err)
	}
}

// TestSomeSeedsRefuse: a member is joined when one seed accepts it, and says
// which refused.
func TestSomeSeedsRefuse(t *testing.T) {
	stranger := kit.NewReal(t, 1, func(_ int, o *cachemesh.Options) { o.Secret = kit.SecretB })
	m := kit.NewReal(t, 1, func(_ int, o *cachemesh.Options) { o.Secret = kit.SecretA })
	log := new(kit.Log)
	m.Nodes = append(m.Nodes, m.NewNode(1, func(_ int, o *cachemesh.Options) {
		o.Secret, o.Logger = kit.SecretA, log.Logger()
		o.BootstrapNodes = []string{stranger.Nodes[0].Addr(), m.Nodes[0].Addr()}
	}))
	kit.Must(t, m.Nodes[1].Start())
	m.Settle(2)
	ctx, cancel := context.WithTimeout(kit.Context(t), kit.Patience)
	defer cancel()
	for log.Count("refuses", stranger.Nodes[0].Addr(), "ecret") == 0 { // it is logged a little later
		kit.Must(t, kit.Pause(ctx, time.Millisecond))
	}
}

// TestSecretIsReplaced: three rolling restarts replace a secret while the mesh
// stays one and goes on deleting.
func TestSecretIsReplaced(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3, func(_ int, o *cachemesh.Options) { o.Secret = kit.SecretA })
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
		for step, secrets := range [][][]byte{{kit.SecretA, kit.SecretB}, {kit.SecretB, kit.SecretA}, {kit.SecretB}} {
			for i := range m.Nodes {
				kit.Must(t, m.Nodes[i].Shutdown(ctx))
				seeds := []string{m.Nodes[(i+1)%3].Addr(), m.Nodes[(i+2)%3].Addr()}
				m.Nodes[i] = m.NewNode(i, func(_ int, o *cachemesh.Options) {
					o.Secret, o.AcceptSecrets, o.BootstrapNodes, o.RequireJoin = secrets[0], secrets[1:], seeds, true
				})
				kit.Must(t, m.Nodes[i].Start())
				var err error
				groups[i], err = cachemesh.NewGroup(m.Nodes[i], "g", kit.Echo, cachemesh.GroupOptions[string]{})
				kit.Must(t, err)
				m.Settle(3)
				for j, g := range groups {
					key := m.KeyOf("g", (j+1)%3)
					kit.MustGet(t, g, key, "value of "+key)
					if err := groups[(j+2)%3].Delete(ctx, key); err != nil {
						t.Fatalf("step %d, node%d restarted, Delete by node%d: %v", step+1, i, (j+2)%3, err)
					}
				}
			}
		}
		late := m.NewNode(3, func(_ int, o *cachemesh.Options) { o.Secret, o.JoinTimeout = kit.SecretA, time.Second })
		defer late.Close()
		if err := late.Start(); !errors.Is(err, cachemesh.ErrJoin) {
			t.Errorf("a member with the old secret: Start: %v, want ErrJoin", err)
		}
	})
}

// TestOpenMeshWarns: whoever reaches the port is a peer, unless there is a secret;
// on the loopback interface that is nobody else.
func TestOpenMeshWarns(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		for _, test := range []struct {
			secret []byte
			want   int
		}{{nil, 1}, {kit.SecretA, 0}} {
			log := new(kit.Log)
			m := kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.Secret, o.Logger = test.secret, log.Logger() })
			seam.Inside(m.Nodes[0]).FlushLog()
			if n := log.Count("WARN", "neither Secret nor TLS"); n != test.want {
				t.Errorf("secret %q: warned %d times, want %d:\n%s", test.secret, n, test.want, log)
			}
		}
	})
	log := new(kit.Log)
	m := kit.NewReal(t, 1, func(_ int, o *cachemesh.Options) { o.Logger = log.Logger() })
	seam.Inside(m.Nodes[0]).FlushLog()
	if log.Count("WARN") != 0 {
		t.Errorf("on loopback it warned:\n%s", log)
	}
}
