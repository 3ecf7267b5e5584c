package membership

import (
	"context"
	"errors"
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
)

func withSecret(s string) func(*Config) { return func(cfg *Config) { cfg.Secret = []byte(s) } }

func TestSecretIsShared(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		a := c.launch(1, withSecret("swordfish"))
		b := c.launch(2, withSecret("swordfish"), seedsAt(1))
		if n, err := b.Join(t.Context()); n != 1 || err != nil {
			t.Fatalf("Join: %d, %v", n, err)
		}
		c.waitFor(time.Second, func() bool { return c.agree(2, a, b) })
		b.Close()
		c.waitFor(3*time.Second, func() bool { return a.names() == "n1" })
	})
}

func TestSecretsDiffer(t *testing.T) {
	for _, pair := range [][2]string{{"swordfish", "shibboleth"}, {"swordfish", ""}, {"", "swordfish"}} {
		t.Run(fmt.Sprintf("%q", pair), func(t *testing.T) {
			bubble(t, func(t *testing.T, c *cluster) {
				a := c.launch(1, withSecret(pair[0]))
				b := c.launch(2, withSecret(pair[1]), seedsAt(1))
				n, err := b.Join(t.Context())
				if n != 0 || !errors.Is(err, ErrSecretMismatch) {
					t.Errorf("Join: %d, %v", n, err)
				}
				ping(t, b, a) // a packet, too
				time.Sleep(5 * time.Second)
				if a.names() != "n1" || b.names() != "n2" {
					t.Errorf("they see %s and %s", a.names(), b.names())
				}
				const text = "gossip of another member cannot be read"
				if k := a.log.count(text); k < 1 || k > 3 {
					t.Errorf("the log says so %d times, want few:\n%s", k, a.log)
				}
				if a.log.count("addr=10.0.0.2:3000") == 0 {
					t.Errorf("the log does not name the source:\n%s", a.log)
				}
			})
		})
	}
}

// ping sends a gossip packet from one member to another, and expects no answer.
func ping(t *testing.T, from, to *node) {
	t.Helper()
	for range 100 {
		if _, err := from.transport.WriteTo([]byte("\x00\x01garbage of another kind"), to.addr.String()); err != nil {
			t.Fatal(err)
		}
		if from.answers(context.Background(), to.addr) {
			t.Fatal("it answered")
		}
	}
}

// foreign is a memberlist node that is no member of a mesh.
type foreign struct{ meta []byte }

func (f foreign) NodeMeta(int) []byte             { return f.meta }
func (foreign) NotifyMsg([]byte)                  {}
func (foreign) GetBroadcasts(int, int) [][]byte   { return nil }
func (f foreign) LocalState(bool) []byte          { return []byte{absenceVersion, 0, 1, 200} }
func (foreign) MergeRemoteState(b []byte, _ bool) {}

func TestForeignMetaIsIgnored(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(2)
		addr := addrOf(9)
		tr := &transport{addr: addr, conn: c.net.listen(addr), journal: newJournal(nil), heard: nil}
		tr.heard = nodes[0].heard
		tr.start(c.net.dialer(addr), nodes[0].hostOf)
		cfg := memberlist.DefaultLANConfig()
		cfg.Name, cfg.Transport, cfg.Logger = "stranger", tr, log.New(&lockedBuffer{}, "", 0)
		cfg.Delegate = foreign{meta: []byte("not one of us")}
		other, err := memberlist.Create(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Shutdown()
		for range 3 {
			if _, err := other.Join([]string{nodes[0].addr.String()}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(30 * time.Second)
		c.waitFor(0, func() bool { return c.agree(2, nodes...) })
		for _, text := range []string{"a member is ignored", "what a member says about deaths cannot be read"} {
			if k := nodes[0].log.count(text); k != 1 {
				t.Errorf("%q was logged %d times:\n%s", text, k, nodes[0].log)
			}
		}
	})
}
