package meshtest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/meshtest/await"
	"github.com/praveenduddu/cachemesh/internal/meshtest/members"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// Config describes a mesh.
type Config struct {
	Seed    uint64
	Members int
	Faults  faultinject.Faults // safeguards to leave out
	Logger  *slog.Logger       // nil: silent
	Edit    func(*cachemesh.Options)

	HotReads int                              // of a Stage's groups; 0: their default
	Replicas int                              // of a Stage's group without a loader; 0: one
	Tags     func(key string, v int) []string // of the same; nil: none
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
	return members.Start(len(m.nodes), m.StartMember)
}

// StartMember starts member i, again if it ran before. The mesh may grow by one.
func (m *Mesh) StartMember(i int) error {
	o := cachemesh.Options{Name: HostName(i), Logger: m.cfg.Logger}
	members.Place(&o, m.Net, HostName(i))
	o.Network = network{m.Net.Host(HostName(i)), m.Calls, m.news, m.cfg.Faults, m.setClock}
	for s := range 3 {
		o.BootstrapNodes = append(o.BootstrapNodes, members.Addr(m.Net, HostName(s)))
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

// poll is how often members are looked at meanwhile.
const poll = 5 * time.Millisecond

// AwaitMembers waits until each of these members sees exactly these.
func (m *Mesh) AwaitMembers(ctx context.Context, which ...int) error {
	ctx, cancel := context.WithTimeout(ctx, agreement)
	defer cancel()
	if err := await.Until(ctx, poll, func() bool { return m.agree(which) }); err != nil {
		return fmt.Errorf("members %v do not see each other: %w", which, err)
	}
	return nil
}

// Settled reports whether each of these members sees exactly these and knows that
// all act by that.
func (m *Mesh) Settled(which ...int) bool {
	for _, i := range which {
		if !members.Settled(m.Node(i), len(which)) {
			return false
		}
	}
	return m.agree(which)
}

// AwaitSettled waits until Settled.
func (m *Mesh) AwaitSettled(ctx context.Context, which ...int) error {
	ctx, cancel := context.WithTimeout(ctx, agreement)
	defer cancel()
	if err := await.Until(ctx, poll, func() bool { return m.Settled(which...) }); err != nil {
		return fmt.Errorf("members %v have not settled: %w", which, err)
	}
	return nil
}

func (m *Mesh) agree(which []int) bool {
	names := make([]string, len(which))
	for k, i := range which {
		names[k] = HostName(i)
	}
	return !slices.ContainsFunc(which, func(i int) bool { return !members.See(m.Node(i), names) })
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
