package meshtest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

const port = "3000"

// Config describes a mesh.
type Config struct {
	Seed    uint64
	Members int
	Faults  faultinject.Faults // safeguards to leave out
	Logger  *slog.Logger       // nil: silent
	Edit    func(*cachemesh.Options)

	HotReads int // of a Stage's groups; 0: their default
}

// A Mesh is a number of members on a network in memory. Its methods, but for
// those of the network, are called from one goroutine.
type Mesh struct {
	Net   *memnet.Network
	Calls *Calls

	cfg    Config
	news   *news
	mu     sync.Mutex // guards nodes and clocks
	nodes  []*cachemesh.Node
	clocks map[string]*seam.Clock // by host name
	setup  func(i int, n *cachemesh.Node) error
}

// New returns a mesh without members.
func New(cfg Config) *Mesh {
	return &Mesh{
		Net: memnet.New(cfg.Seed), Calls: newCalls(cfg.Seed), cfg: cfg, news: &news{held: make(map[string]bool)},
		nodes: make([]*cachemesh.Node, cfg.Members), clocks: make(map[string]*seam.Clock),
	}
}

// HostName returns the name of member i and of its host.
func HostName(i int) string { return fmt.Sprintf("m%d", i) }

// Start starts all members side by side. setup registers the groups of each,
// also of those that restart.
func (m *Mesh) Start(setup func(i int, n *cachemesh.Node) error) error {
	m.setup = setup
	errs := make(chan error, len(m.nodes))
	for i := range m.nodes {
		go func() { errs <- m.StartMember(i) }()
	}
	var first error
	for range m.nodes {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// StartMember starts member i, again if it ran before. The mesh may grow by one.
func (m *Mesh) StartMember(i int) error {
	host := m.Net.Host(HostName(i))
	o := cachemesh.Options{
		Name: HostName(i), ListenAddr: net.JoinHostPort(host.IP().String(), port),
		Network: network{host, m.Calls, m.news, m.cfg.Faults, m.setClock}, Logger: m.cfg.Logger,
	}
	for s := range 3 {
		o.BootstrapNodes = append(o.BootstrapNodes, net.JoinHostPort(m.Net.Host(HostName(s)).IP().String(), port))
	}
	if m.cfg.Edit != nil {
		m.cfg.Edit(&o)
	}
	n, err := cachemesh.New(o)
	if err != nil {
		return err
	}
	if err := m.setup(i, n); err != nil {
		n.Close()
		return err
	}
	m.mu.Lock()
	if i == len(m.nodes) {
		m.nodes = append(m.nodes, nil)
	}
	m.nodes[i] = n
	m.mu.Unlock()
	return n.Start()
}

func (m *Mesh) setClock(name string, c *seam.Clock) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clocks[name] = c
}

// Node returns member i as it last ran.
func (m *Mesh) Node(i int) *cachemesh.Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.nodes[i]
}

// Kill crashes member i.
func (m *Mesh) Kill(i int) {
	m.Net.Kill(HostName(i))
	m.Node(i).Close()
}

// Close stops every member and waits, by the bubble's clock, until memberlist's
// goroutines have ended, which outlive their members by their timeouts.
func (m *Mesh) Close() {
	for i := range m.nodes {
		if n := m.Node(i); n != nil {
			n.Close()
		}
	}
	time.Sleep(lingering)
}

const lingering = 10 * time.Second

// agreement bounds waiting for members to agree, by the bubble's clock: a mesh that
// never does ends its test soon.
const agreement = 2 * time.Minute

// AwaitMembers waits until each of these members sees exactly these.
func (m *Mesh) AwaitMembers(ctx context.Context, which ...int) error {
	ctx, cancel := context.WithTimeout(ctx, agreement)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !m.agree(which) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("members %v do not see each other: %w", which, ctx.Err())
		}
	}
	return nil
}

// Settled reports whether each of these members sees exactly these and knows that
// all act by that.
func (m *Mesh) Settled(which ...int) bool {
	for _, i := range which {
		if s := m.Node(i).Stats(); !s.Settled || s.Members != len(which) {
			return false
		}
	}
	return m.agree(which)
}

// AwaitSettled waits until Settled.
func (m *Mesh) AwaitSettled(ctx context.Context, which ...int) error {
	ctx, cancel := context.WithTimeout(ctx, agreement)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !m.Settled(which...) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("members %v have not settled: %w", which, ctx.Err())
		}
	}
	return nil
}

func (m *Mesh) agree(which []int) bool {
	for _, i := range which {
		seen := m.Node(i).Members()
		if len(seen) != len(which) {
			return false
		}
		names := make(map[string]bool, len(seen))
		for _, s := range seen {
			names[s.Name] = true
		}
		for _, j := range which {
			if !names[HostName(j)] {
				return false
			}
		}
	}
	return true
}

// network is one member's network, with a test's hand in its peer calls.
type network struct {
	*memnet.Host
	calls   *Calls
	news    *news
	faults  faultinject.Faults
	onClock func(name string, c *seam.Clock)
}

func (n network) Faults() faultinject.Faults { return n.faults }
