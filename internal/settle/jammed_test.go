package settle_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestJammedLog jams the log of one member for ever: its disk is full. Neither that
// member nor the others may wait for it. A bubble's clock would stand still beside
// whoever waits for a lock, so this runs in real time.
func TestJammedLog(t *testing.T) {
	for _, early := range []bool{false, true} {
		t.Run(fmt.Sprint("from the start=", early), func(t *testing.T) {
			t.Parallel()
			log := meshtest.NewJammedLog(slog.DiscardHandler)
			m := kit.New(t, 2)
			t.Cleanup(log.Free) // before the mesh closes, which may wait for it
			if early {
				log.Jam()
			}
			joined := joinMesh(t, m, func(_ int, o *cachemesh.Options) { o.Logger = slog.New(log) })
			if !ends(t, "joining with such a log", joined) {
				return
			}
			log.Jam()
			if !ends(t, "joining beside it", joinMesh(t, m)) {
				return
			}
			ctx, cancel := context.WithTimeout(kit.Context(t), jamPatience)
			defer cancel()
			for i, n := range m.Nodes {
				if err := kit.AwaitSettled(ctx, n, 4); err != nil {
					t.Errorf("node%d: %v", i, err)
				}
			}
			stats := make(chan error, 1)
			go func() { m.Nodes[2].Stats(); stats <- nil }()
			ends(t, "statistics of the member whose log is jammed", stats)
		})
	}
}

const jamPatience = 8 * time.Second

// joinMesh starts one more node in the background.
func joinMesh(t *testing.T, m *kit.Mesh, edits ...kit.Edit) <-chan error {
	t.Helper()
	n := m.NewNode(len(m.Nodes), edits...)
	m.Nodes = append(m.Nodes, n)
	joined := make(chan error, 1)
	go func() { joined <- n.Start() }()
	return joined
}

// ends reports whether something ends in time and without an error.
func ends(t *testing.T, what string, done <-chan error) bool {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return err == nil
	case <-time.After(jamPatience):
		t.Errorf("%s has not ended after %v", what, jamPatience)
		return false
	}
}
