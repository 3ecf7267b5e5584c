package membership_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// TestWhatIsWorthAWarning: a restart in order is none, on any member; a crash is one,
// and names who is gone.
func TestWhatIsWorthAWarning(t *testing.T) {
	for _, crash := range []bool{false, true} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			log := new(kit.Log)
			set := func(_ int, o *cachemesh.Options) { o.Secret, o.Logger = kit.SecretA, log.Logger() }
			m := kit.New(t, 3, set)
			before := log.Count("WARN")
			if crash {
				m.Kill(1)
				time.Sleep(10 * time.Second)
				m.Settle(2)
			} else {
				kit.Must(t, m.Nodes[1].Shutdown(ctx))
				m.Nodes[1] = nil
				m.Settle(2)
			}
			m.Nodes[1] = m.NewNode(1, set)
			kit.Must(t, m.Nodes[1].Start())
			m.Settle(3)
			time.Sleep(10 * time.Second)
			for _, n := range m.Nodes {
				seam.Inside(n).FlushLog()
			}
			warned := log.Count("WARN") + log.Count("ERROR") - before
			if !crash && warned > 0 {
				t.Errorf("%d warnings of a restart in order:\n%s", warned, log)
			}
			if said := log.Count("WARN", "without leaving", "node1"); crash && said != 2 {
				t.Errorf("%d of two survivors warn of a crash:\n%s", said, log)
			}
		})
	}
}

// TestNeighboursOfOneAddress: two processes of one machine, of which the second
// advertises what the first listens at, as a port copied from elsewhere. All its
// bootstrap nodes are at that address, which it takes for its own.
func TestNeighboursOfOneAddress(t *testing.T) {
	m := kit.NewReal(t, 1)
	addr := m.Nodes[0].Addr()
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	kit.Must(t, err)
	listen := free.LocalAddr().String()
	free.Close()
	n, err := cachemesh.New(cachemesh.Options{
		Name: "second", ListenAddr: listen, AdvertiseAddr: addr, BootstrapNodes: []string{addr}, JoinTimeout: 2 * time.Second,
		Logger: slog.New(slog.DiscardHandler),
	})
	kit.Must(t, err)
	defer n.Close()
	wantAddrError(t, n.Start())
}
