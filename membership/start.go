package membership

import (
	"context"
	"log"
	"net/netip"

	"github.com/hashicorp/memberlist"
)

// New starts a member that knows no other yet; call Join next. A *ConfigError names the field that is
// wrong; in any other case New takes ownership of cfg.Packets.
func New(cfg Config) (*Membership, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if !cfg.Gossip.IsValid() {
		if cfg.Gossip, err = GossipAddr(context.Background(), cfg.Resolver, cfg.Addr); err != nil {
			return nil, configErrorf("Addr", "%v", err)
		}
	}
	m := assemble(cfg, cfg.Gossip)
	b := &bridge{journal: m.journal, secret: len(cfg.Secret) > 0}
	gossip, err := cfg.gossipConfig(m.transport, m.delegate, log.New(b, "", 0))
	if err != nil {
		return nil, err
	}
	m.view.Store(m.nextView(0))
	m.transport.start(cfg.DialStream, m.hostOf)
	if m.list, err = memberlist.Create(gossip); err != nil {
		_ = m.transport.Shutdown()
		return nil, err
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.scribe.Go(func() { m.journal.run(m.ctx) })
	m.work.Go(m.publish)
	m.work.Go(m.rejoin)
	return m, nil
}

func assemble(cfg Config, addr netip.AddrPort) *Membership {
	j := newJournal(cfg.Logger)
	t := newTable(Member{Name: cfg.Name, Addr: cfg.Addr, Boot: cfg.Boot, Life: 1})
	m := &Membership{
		cfg: cfg, table: t, journal: j,
		syncs: make(chan chan struct{}),
		wake:  make(chan struct{}, 1),
		slots: make(chan struct{}, maxContacts),
	}
	m.closed = make(chan struct{})
	m.seeds.names, m.seeds.resolver, m.seeds.own = cfg.Seeds, cfg.Resolver, newOwnAddrs(addr, cfg.Packets)
	m.transport = &transport{addr: addr, mesh: cfg.Mesh, conn: cfg.Packets, journal: j, heard: m.heard}
	m.delegate = &delegate{name: cfg.Name, boot: cfg.Boot, addr: addr, table: t, journal: j,
		said: make(map[string]struct{}), reach: m.reachNow}
	m.describe()
	return m
}

// hostOf returns the host name by which the address of a seed or of a member, lost ones included, is known, or "".
func (m *Membership) hostOf(addr netip.AddrPort) string {
	if host := hostName(m.table.advertisedAt(addr)); host != "" {
		return host
	}
	if hosts := m.seeds.hosts.Load(); hosts != nil {
		return (*hosts)[addr]
	}
	return ""
}
