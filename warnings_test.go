package cachemesh_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestWhatIsWorthAWarning: a restart in order is none, on any member; a crash is one,
// and names who is gone.
func TestWhatIsWorthAWarning(t *testing.T) {
	for _, crash := range []bool{false, true} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			log := new(record)
			set := func(_ int, o *cachemesh.Options) { o.Secret, o.Logger = secretA, log.logger() }
			m := newMesh(t, 3, set)
			before := log.count("WARN")
			if crash {
				m.kill(1)
				time.Sleep(10 * time.Second)
				m.settle(2)
			} else {
				must(t, m.nodes[1].Shutdown(ctx))
				m.nodes[1] = nil
				m.settle(2)
			}
			m.nodes[1] = m.newNode(1, set)
			must(t, m.nodes[1].Start())
			m.settle(3)
			time.Sleep(10 * time.Second)
			for _, n := range m.nodes {
				cachemesh.FlushLog(n)
			}
			warned := log.count("WARN") + log.count("ERROR") - before
			if !crash && warned > 0 {
				t.Errorf("%d warnings of a restart in order:\n%s", warned, log)
			}
			if said := log.count("WARN", "without leaving", "node1"); crash && said != 2 {
				t.Errorf("%d of two survivors warn of a crash:\n%s", said, log)
			}
		})
	}
}

// TestNeighboursOfOneAddress: two processes of one machine, of which the second
// advertises what the first listens at, as a port copied from elsewhere. All its
// bootstrap nodes are at that address, which it takes for its own.
func TestNeighboursOfOneAddress(t *testing.T) {
	m := newRealMesh(t, 1)
	addr := m.nodes[0].Addr()
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	listen := free.LocalAddr().String()
	free.Close()
	n, err := cachemesh.New(cachemesh.Options{
		Name: "second", ListenAddr: listen, AdvertiseAddr: addr, BootstrapNodes: []string{addr}, JoinTimeout: 2 * time.Second,
		Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	defer n.Close()
	wantAddrError(t, n.Start())
}
