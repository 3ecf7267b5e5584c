package membership

import (
	"context"
	"errors"
	"net"
	"slices"
)

// A Seed is one address that this member was told of and that is not its own.
type Seed struct {
	Name    string  // as it was configured
	Addr    string  // what it stands for; empty if Missing, or if it could not be resolved
	Missing bool    // the name has no address, as its server says
	Member  *Member // who gossips there; nil: nobody that is known
}

// Told returns the addresses of the seeds, without this member's own, as they are now.
func (m *Membership) Told(ctx context.Context) []Seed {
	var told []Seed
	for _, name := range m.cfg.Seeds {
		addrs, err := m.seeds.find(ctx, name)
		if err != nil {
			dns, ok := errors.AsType[*net.DNSError](err)
			told = append(told, Seed{Name: name, Missing: ok && dns.IsNotFound})
			continue
		}
		for _, addr := range addrs {
			s := Seed{Name: name, Addr: addr.String()}
			if m.seeds.own.has(addr) || slices.ContainsFunc(told, func(o Seed) bool { return o.Addr == s.Addr }) || len(told) == maxSeedAddrs {
				continue
			}
			if p, ok := m.table.at(addr); ok {
				s.Member = &p
			}
			told = append(told, s)
		}
	}
	return told
}

// Revive begins another life of this member: others went on without the present one.
func (m *Membership) Revive() {
	self := m.table.selfMember()
	m.table.told([]absence{{name: self.Name, boot: self.Boot, life: self.Life}})
}
