package cachemesh_test

import (
	"context"
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
			must(t, stranger.Start()) // alone
			if len(m.nodes[0].Members()) != 1 || len(stranger.Members()) != 1 {
				t.Fatalf("it joined: %v, %v", m.nodes[0].Members(), stranger.Members())
			}
			call(t, stranger, m.nodes[0].Addr(), "k")
			mustGet(t, groups[0], "k", "v")
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
