package cachemesh_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

var (
	secretA = []byte("a secret of thirty-two bytes ...")
	secretB = []byte("another secret of as many bytes.")
)

func TestSecret(t *testing.T) {
	m := newRealMesh(t, 3, func(_ int, o *cachemesh.Options) { o.Secret = secretA })
	groups := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})
	for i, g := range groups {
		key := m.keyOf("g", (i+1)%3)
		must(t, g.Set(testContext(t), key, "v", 0))
		mustGet(t, groups[(i+2)%3], key, "v")
	}
}

// TestWithoutTheSecret: whoever does not know it can neither join nor read,
// write or invalidate, and the member that refuses says so once.
func TestWithoutTheSecret(t *testing.T) {
	for _, test := range []struct {
		name           string
		ours, stranger []byte
	}{{"none", secretA, nil}, {"wrong", secretA, secretB}, {"one, and we have none", nil, secretA}} {
		t.Run(test.name, func(t *testing.T) {
			log, theirLog := new(record), new(record)
			m := newRealMesh(t, 1, func(_ int, o *cachemesh.Options) { o.Secret, o.Logger = test.ours, log.logger() })
			groups := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})
			ctx := testContext(t)
			must(t, groups[0].Set(ctx, "k", "v", 0))

			stranger := m.newNode(1, func(_ int, o *cachemesh.Options) {
				o.Secret, o.Logger, o.JoinTimeout = test.stranger, theirLog.logger(), 700*time.Millisecond
			})
			defer stranger.Close()
			seed := m.nodes[0].Addr()
			if err := stranger.Start(); !errors.Is(err, cachemesh.ErrJoin) || !strings.Contains(err.Error(), seed) || !strings.Contains(err.Error(), "Options.Secret") {
				t.Errorf("Start: %v, want ErrJoin naming %s and Options.Secret", err, seed)
			}
			if len(m.nodes[0].Members()) != 1 {
				t.Fatalf("it joined: %v", m.nodes[0].Members())
			}
			alone := m.newNode(2, func(_ int, o *cachemesh.Options) { o.Secret, o.BootstrapNodes = test.stranger, nil })
			defer alone.Close()
			must(t, alone.Start())
			call(t, alone, seed, "k")
			mustGet(t, groups[0], "k", "v")
			cachemesh.FlushLog(m.nodes[0])
			cachemesh.FlushLog(stranger)
			if n := log.count("ecret"); n != 1 {
				t.Errorf("the refusing member said so %d times, want once:\n%s", n, log)
			}
			if theirLog.count("ecret") == 0 {
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
	for i, op := range []uint8{cachemesh.OpGet, cachemesh.OpSet, cachemesh.OpDelete, cachemesh.OpInvalidate, cachemesh.OpClear, cachemesh.OpFence} {
		err := cachemesh.CallPeer(ctx, from, addr, op, "g", key)
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
	seed := newRealMesh(t, 1, func(_ int, o *cachemesh.Options) { o.Secret = secretA })
	var given cachemesh.Options
	n := seed.newNode(1, func(_ int, o *cachemesh.Options) {
		o.Secret, o.AcceptSecrets, o.RequireJoin = bytes.Clone(secretA), [][]byte{bytes.Clone(secretB)}, true
		given = *o
	})
	defer n.Close()
	clear(given.Secret)
	clear(given.AcceptSecrets[0])
	given.AcceptSecrets[0] = nil
	given.BootstrapNodes[0] = "192.0.2.9:1"
	must(t, n.Start())
	zeros := seed.newNode(2, func(_ int, o *cachemesh.Options) {
		o.Secret, o.BootstrapNodes, o.JoinTimeout = make([]byte, len(secretA)), []string{n.Addr()}, 300*time.Millisecond
	})
	defer zeros.Close()
	if err := zeros.Start(); !errors.Is(err, cachemesh.ErrJoin) {
		t.Errorf("a member with a secret of zeros: Start: %v, want ErrJoin", err)
	}

	ours := newAuthority(t)
	config := ours.mutual(t)
	secure, err := cachemesh.New(cachemesh.Options{TLS: config, Secret: secretA})
	must(t, err)
	defer secure.Close()
	config.ClientAuth, config.Certificates[0] = tls.NoClientCert, tls.Certificate{}
	must(t, secure.Start())
	with := func(c *tls.Config) error {
		c.MaxVersion = tls.VersionTLS12 // in which a handshake ends after the client was verified
		conn, err := tls.Dial("tcp", secure.Addr(), c)
		if err == nil {
			conn.Close()
		}
		return err
	}
	must(t, with(ours.mutual(t)))
	if err := with(&tls.Config{RootCAs: ours.pool()}); err == nil {
		t.Error("a client without a certificate was let in")
	}

	sentinels := []error{errSentinel}
	m := newRealMesh(t, 2)
	groups := groupOn(m, "g", func(context.Context, string) (string, error) { return "", errSentinel }, cachemesh.GroupOptions[string]{Errors: sentinels})
	sentinels[0] = errors.New("another")
	if _, err := groups[0].Get(testContext(t), m.keyOf("g", 1)); !errors.Is(err, errSentinel) {
		t.Errorf("Get: %v, want the sentinel that the options had", err)
	}
}

// TestSomeSeedsRefuse: a member is joined when one seed accepts it, and says
// which refused.
func TestSomeSeedsRefuse(t *testing.T) {
	stranger := newRealMesh(t, 1, func(_ int, o *cachemesh.Options) { o.Secret = secretB })
	m := newRealMesh(t, 1, func(_ int, o *cachemesh.Options) { o.Secret = secretA })
	log := new(record)
	m.nodes = append(m.nodes, m.newNode(1, func(_ int, o *cachemesh.Options) {
		o.Secret, o.Logger = secretA, log.logger()
		o.BootstrapNodes = []string{stranger.nodes[0].Addr(), m.nodes[0].Addr()}
	}))
	must(t, m.nodes[1].Start())
	m.settle(2)
	ctx, cancel := context.WithTimeout(testContext(t), patience)
	defer cancel()
	for log.count("refuses", stranger.nodes[0].Addr(), "ecret") == 0 { // it is logged a little later
		must(t, cachemesh.Pause(ctx, m.nodes[1], time.Millisecond))
	}
}

// TestSecretIsReplaced: three rolling restarts replace a secret while the mesh
// stays one and goes on deleting.
func TestSecretIsReplaced(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3, func(_ int, o *cachemesh.Options) { o.Secret = secretA })
		groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})
		for step, secrets := range [][][]byte{{secretA, secretB}, {secretB, secretA}, {secretB}} {
			for i := range m.nodes {
				must(t, m.nodes[i].Shutdown(ctx))
				seeds := []string{m.nodes[(i+1)%3].Addr(), m.nodes[(i+2)%3].Addr()}
				m.nodes[i] = m.newNode(i, func(_ int, o *cachemesh.Options) {
					o.Secret, o.AcceptSecrets, o.BootstrapNodes, o.RequireJoin = secrets[0], secrets[1:], seeds, true
				})
				must(t, m.nodes[i].Start())
				var err error
				groups[i], err = cachemesh.NewGroup(m.nodes[i], "g", echoLoader, cachemesh.GroupOptions[string]{})
				must(t, err)
				m.settle(3)
				for j, g := range groups {
					key := m.keyOf("g", (j+1)%3)
					mustGet(t, g, key, "value of "+key)
					if err := groups[(j+2)%3].Delete(ctx, key); err != nil {
						t.Fatalf("step %d, node%d restarted, Delete by node%d: %v", step+1, i, (j+2)%3, err)
					}
				}
			}
		}
		late := m.newNode(3, func(_ int, o *cachemesh.Options) { o.Secret, o.JoinTimeout = secretA, time.Second })
		defer late.Close()
		if err := late.Start(); !errors.Is(err, cachemesh.ErrJoin) {
			t.Errorf("a member with the old secret: Start: %v, want ErrJoin", err)
		}
	})
}

// TestOpenMeshWarns: whoever reaches the port is a peer, unless there is a secret;
// on the loopback interface that is nobody else.
func TestOpenMeshWarns(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		for _, test := range []struct {
			secret []byte
			want   int
		}{{nil, 1}, {secretA, 0}} {
			log := new(record)
			m := newMesh(t, 1, func(_ int, o *cachemesh.Options) { o.Secret, o.Logger = test.secret, log.logger() })
			cachemesh.FlushLog(m.nodes[0])
			if n := log.count("WARN", "neither Secret nor TLS"); n != test.want {
				t.Errorf("secret %q: warned %d times, want %d:\n%s", test.secret, n, test.want, log)
			}
		}
	})
	log := new(record)
	m := newRealMesh(t, 1, func(_ int, o *cachemesh.Options) { o.Logger = log.logger() })
	cachemesh.FlushLog(m.nodes[0])
	if log.count("WARN") != 0 {
		t.Errorf("on loopback it warned:\n%s", log)
	}
}
