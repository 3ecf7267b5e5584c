package membership

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

// delegate receives memberlist's callbacks. All but NotifyMerge run under memberlist's lock: they record, poke, and
// return. None may call memberlist.
type delegate struct {
	name    string
	boot    uint64
	addr    netip.AddrPort
	meta    atomic.Pointer[[]byte] // this member's own, encoded
	table   *table
	journal *journal

	echoes    atomic.Uint64            // how often a peer was heard to know this run of this member
	conflict  atomic.Pointer[conflict] // the latest claim of this member's name by another
	conflicts atomic.Uint64            // claims of any member's name

	reach func() // a member is alive that must be told something; must not block

	mu   sync.Mutex          // guards said
	said map[string]struct{} // what was logged once already
}

const maxSaid = 256 // then all may be said again

// conflict is a claim of this member's name by a member elsewhere.
type conflict struct{ other peer }

var (
	_ memberlist.Delegate         = (*delegate)(nil)
	_ memberlist.EventDelegate    = (*delegate)(nil)
	_ memberlist.AliveDelegate    = (*delegate)(nil)
	_ memberlist.ConflictDelegate = (*delegate)(nil)
	_ memberlist.MergeDelegate    = (*delegate)(nil)
)

// once queues a line that is said only once for its key.
func (d *delegate) once(key string, level slog.Level, msg string, attrs ...slog.Attr) {
	d.mu.Lock()
	_, said := d.said[key]
	if !said {
		if len(d.said) >= maxSaid {
			clear(d.said)
		}
		d.said[key] = struct{}{}
	}
	d.mu.Unlock()
	if !said {
		d.journal.put(line{level: level, class: key, msg: msg, attrs: attrs})
	}
}

// NotifyAlive decides whether a message about a member counts. An error makes memberlist ignore the message.
func (d *delegate) NotifyAlive(n *memberlist.Node) error {
	p, err := peerFrom(n)
	if err != nil {
		d.once("reject "+n.Name, slog.LevelWarn, "a member is ignored: its gossip is not that of a member of this mesh",
			slog.String("peer", clip(n.Name)), slog.String("addr", hostPort(n)), slog.Any("err", err))
		return err
	}
	if p.Name == d.name {
		if p.gossip == d.addr && p.Boot == d.boot {
			d.echoes.Add(1)
		}
		return nil
	}
	if d.table.full(p.Name) {
		d.once("full", slog.LevelError, "members are ignored: there are too many", slog.Int("limit", maxMembers))
		return errTooMany
	}
	return nil
}

// NotifyJoin records a member that appeared.
func (d *delegate) NotifyJoin(n *memberlist.Node) { d.record(n) }

// NotifyUpdate records a member whose meta changed.
func (d *delegate) NotifyUpdate(n *memberlist.Node) { d.record(n) }

// record also sees members that NotifyAlive refused while they were known already under an older meta; they stay as
// they were.
func (d *delegate) record(n *memberlist.Node) {
	if n.Name == d.name {
		return // this member describes itself
	}
	if p, err := peerFrom(n); err == nil && !d.table.put(p, time.Now()) {
		d.reach()
	}
}

// NotifyLeave records a member that was declared dead, or that left.
func (d *delegate) NotifyLeave(n *memberlist.Node) {
	if n.Name != d.name {
		d.table.drop(n.Name, time.Now())
	}
}

// NotifyMerge sees a full state before memberlist takes it in, without its lock. That a member left on purpose shows only
// here: in NotifyLeave it looks like a crash, if the announcement before it was overtaken.
func (d *delegate) NotifyMerge(nodes []*memberlist.Node) error {
	for _, n := range nodes {
		if n.State != memberlist.StateLeft {
			continue
		}
		if p, err := peerFrom(n); err == nil {
			d.table.leaves(&p)
		}
	}
	return nil
}

// NotifyConflict records that two members claim one name at two addresses. memberlist keeps the existing one.
func (d *delegate) NotifyConflict(existing, other *memberlist.Node) {
	p, err := peerFrom(other)
	if err != nil {
		return
	}
	d.conflicts.Add(1)
	if other.Name == d.name {
		d.conflict.Store(&conflict{other: p})
	}
	held, claimed := hostPort(existing), hostPort(other)
	d.once("conflict "+other.Name+" "+held+" "+claimed, slog.LevelError,
		"two members use one name; the first one is kept until it is gone, the other ignored: give each its own (Options.Name)",
		slog.String("peer", other.Name), slog.String("addr", held), slog.String("other_addr", claimed))
}

// NodeMeta returns what this member says about itself. Its size is bounded by Config.
func (d *delegate) NodeMeta(int) []byte { return *d.meta.Load() }

// LocalState returns whose deaths this member has seen: it goes with every exchange of state, so that a member that was
// only away learns of its own.
func (d *delegate) LocalState(bool) []byte { return encodeAbsences(d.table.absences()) }

// MergeRemoteState takes what another member's LocalState returned.
func (d *delegate) MergeRemoteState(b []byte, _ bool) {
	absences, err := decodeAbsences(b)
	if err != nil {
		d.once("absences", slog.LevelWarn, "what a member says about deaths cannot be read", slog.Any("err", err))
		return
	}
	d.table.told(absences)
}

// NotifyMsg and GetBroadcasts are unused: nothing but membership travels by gossip.

func (d *delegate) NotifyMsg([]byte)                {}
func (d *delegate) GetBroadcasts(int, int) [][]byte { return nil }

func hostPort(n *memberlist.Node) string {
	if ip, ok := netip.AddrFromSlice(n.Addr); ok {
		return netip.AddrPortFrom(ip.Unmap(), n.Port).String()
	}
	return net.IP(n.Addr).String()
}

// clip shortens what a peer chose, for a log line.
func clip(s string) string { return s[:min(len(s), maxNameLen)] }
