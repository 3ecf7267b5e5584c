package membership

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"
)

func ofMesh(name string) func(*Config) { return func(cfg *Config) { cfg.Mesh = name } }

// TestMeshesDiffer: gossip of another mesh is neither read nor answered, with and without a secret, and gossip of this
// one is.
func TestMeshesDiffer(t *testing.T) {
	for _, secret := range []string{"", "swordfish"} {
		for _, pair := range [][2]string{{"a", "a"}, {"a", "b"}, {"a", ""}, {"", "b"}} {
			t.Run(fmt.Sprintf("%q %s", pair, secret), func(t *testing.T) {
				bubble(t, func(t *testing.T, c *cluster) {
					a := c.launch(1, withSecret(secret), ofMesh(pair[0]))
					b := c.launch(2, withSecret(secret), ofMesh(pair[1]), seedsAt(1))
					n, err := b.Join(t.Context())
					time.Sleep(5 * time.Second)
					if same := pair[0] == pair[1]; same {
						if n != 1 || err != nil || !c.agree(2, a, b) || a.Stats().OtherMesh+b.Stats().OtherMesh != 0 {
							t.Errorf("Join: %d, %v; they see %s and %s", n, err, a.names(), b.names())
						}
						return
					}
					if n != 0 || err == nil || a.names() != "n1" || b.names() != "n2" {
						t.Errorf("Join: %d, %v; they see %s and %s", n, err, a.names(), b.names())
					}
					before := a.Stats().OtherMesh
					if b.answers(t.Context(), a.addr) { // packets
						t.Error("a ping was answered")
					}
					time.Sleep(time.Second)
					if got := a.Stats().OtherMesh - before; got != pingAttempts {
						t.Errorf("%d packets counted, want %d", got, pingAttempts)
					}
					if k := a.log.count("gossip of another mesh is ignored"); k != 1 {
						t.Errorf("the log says so %d times, want once:\n%s", k, a.log)
					}
				})
			})
		}
	}
}

// TestSecretIsReplaced: at each step of a rotation, and across each, members read each other.
func TestSecretIsReplaced(t *testing.T) {
	steps := [][]string{{"swordfish"}, {"swordfish", "shibboleth"}, {"shibboleth", "swordfish"}, {"shibboleth"}}
	at := func(step int) func(*Config) {
		return func(cfg *Config) {
			cfg.Secret = []byte(steps[step][0])
			for _, s := range steps[step][1:] {
				cfg.AcceptSecrets = append(cfg.AcceptSecrets, []byte(s))
			}
		}
	}
	for i := range steps[1:] {
		bubble(t, func(t *testing.T, c *cluster) {
			a, b := c.launch(1, at(i)), c.launch(2, at(i+1), seedsAt(1))
			if n, err := b.Join(t.Context()); n != 1 || err != nil {
				t.Fatalf("step %d: Join: %d, %v", i+1, n, err)
			}
			time.Sleep(time.Minute)
			if !c.agree(2, a, b) || a.log.count("cannot be read")+b.log.count("cannot be read") != 0 {
				t.Errorf("step %d: they see %s and %s\n%s%s", i+1, a.names(), b.names(), a.log, b.log)
			}
		})
	}
}

// TestRefusals: a seed that refuses is told from one that does not answer, and matters only if none accepts, unless it
// has this member's address.
func TestRefusals(t *testing.T) {
	refused := fmt.Errorf("%w: it wants a secret", ErrRefused)
	taken := fmt.Errorf("%w: %w", ErrRefused, ErrAddrTaken)
	for _, test := range []struct {
		name  string
		dials map[int]error
		n     int
		want  error
	}{
		{"refused", map[int]error{2: refused}, 0, ErrRefused},
		{"refused and absent", map[int]error{2: refused, 4: errors.New("nobody is there")}, 0, ErrRefused},
		{"refused and accepted", map[int]error{2: refused, 1: nil}, 1, nil},
		{"address taken", map[int]error{2: taken}, 0, ErrAddrTaken},
		{"address taken, accepted elsewhere", map[int]error{2: taken, 1: nil}, 1, ErrAddrTaken},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c *cluster) {
				c.launch(1)
				n := c.launch(3, func(cfg *Config) {
					dial := cfg.DialStream
					cfg.DialStream = func(ctx context.Context, addr string) (net.Conn, error) {
						for i, err := range test.dials {
							if err != nil && addr == addrOf(i).String() {
								return nil, err
							}
						}
						return dial(ctx, addr)
					}
					for i := range test.dials {
						cfg.Seeds = append(cfg.Seeds, addrOf(i).String())
					}
				})
				k, err := n.Join(t.Context())
				if k != test.n || !errors.Is(err, test.want) {
					t.Errorf("Join: %d, %v, want %d, %v", k, err, test.n, test.want)
				}
				if len(n.transport.streams.failed) != 0 {
					t.Error("dials are still watched")
				}
			})
		})
	}
}

// TestRefusalOutlivesTheContext: that another seed hangs until time is up does not hide that one refused.
func TestRefusalOutlivesTheContext(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		n := c.launch(3, seedsAt(1, 2), func(cfg *Config) {
			cfg.DialStream = func(ctx context.Context, addr string) (net.Conn, error) {
				if addr == addrOf(1).String() {
					return nil, fmt.Errorf("%w: it wants a secret", ErrRefused)
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.Join(ctx); !errors.Is(err, ErrRefused) {
			t.Errorf("Join: %v, want ErrRefused", err)
		}
	})
}
