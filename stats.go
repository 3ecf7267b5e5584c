package cachemesh

import (
	"iter"
	"maps"
	"time"

	"github.com/praveenduddu/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/tally"
)

// Stats is what one member counted for one group since it registered it.
type Stats struct {
	Gets     uint64 // Get calls on this member, and keys of GetMany
	OwnHits  uint64 // answered from this member's own part of the keys
	HotHits  uint64 // answered from a copy of a key that another member owns
	PeerHits uint64 // answered from the owner's memory

	Served        uint64        // Gets that peers asked of this member
	Loads         uint64        // calls of the loader on this member
	LoadErrors    uint64        // of these, those that failed otherwise than with ErrNotFound
	LoadTime      time.Duration // total of all loader calls
	LoadMax       time.Duration // longest loader call
	LoadLatency   Latency       // of the loader calls that are over
	StuckLoads    uint64        // loads whose loader had not returned when their time was over
	Refreshes     uint64        // loads that replaced a value before its TTL passed
	RefreshErrors uint64        // of these, those that failed: the value before them was served
	RefreshError  error         // what the last of these said, a *LoadError; nil: none failed
	StaleServed   uint64        // values served past their TTL because the loader failed
	NegativeHits  uint64        // of the hits above, those of a remembered "not found"
	Deduplicated  uint64        // Gets that joined a load already under way here

	// Claims, by GetOr and Claim, of keys that this member owns.
	ClaimsWon     uint64 // that were granted
	ClaimsFilled  uint64 // of these, those that ended as they should
	ClaimsVoid    uint64 // those that a write, or the loss of the key, came before: nothing was stored
	ClaimsLost    uint64 // those whose holder was gone, gave up or took too long: others had them then
	ClaimsWaiting int64  // who wait for claims now

	// Unreadable counts values that were misses because the codec could not decode them
	// or they have another Version.
	Unreadable uint64

	// UnknownGroup counts calls that a member answered by saying that it does not know the
	// group. If that goes on for a minute there is a line in the log.
	UnknownGroup uint64

	Sets        uint64 // Set calls on this member, and what else writes a value, as SetIf and Increment
	Deletes     uint64 // keys of Delete calls on this member
	Purges      uint64 // DeleteTag, DeletePrefix and Clear calls on this member
	StuckWrites uint64 // calls of the Writer that had not returned when twice their time was over

	PeerCalls  uint64 // calls made to peers
	PeerErrors uint64 // of these, those that failed
	Retries    uint64 // attempts repeated because the owner had moved or could not be reached

	PeerLatency Latency // of the calls of one or several keys that are over, hand-overs left out

	TooLarge  uint64 // loaded values that were too large to be kept
	Evictions uint64 // entries that gave way to others
	Rejected  uint64 // of these, new ones that were read less than what they would have replaced
	Collided  uint64 // of these, those that gave way to a key with the same hash
	Expired   uint64 // entries removed because their TTL had passed

	// With GroupOptions.Replicas, of the values that are this member's: how many have fewer
	// copies than they should, one at least while it is not known; how many of these are not
	// shown before they have them; and how many copies were made since others were lost or
	// had to move. A rolling restart waits until Lacking is 0 on all members.
	Lacking, Hidden int64
	Repaired        uint64

	Entries  int64   // entries in this member's store now
	MaxBytes int64   // GroupOptions.MaxBytes, or the group's part of Options.TotalBytes now
	Bytes    int64   // what the group takes of MaxBytes: entries, hot copies, registrations of others' copies, remembered failures, all bookkeeping
	Fullness float64 // Bytes as a part of MaxBytes, from 0 to 1

	Tags      int    // tags that have a list of their values now
	TagBytes  int64  // the part of Bytes that tags take, at values and in lists
	TagErrors uint64 // values whose tags could not be told: they go with every tag that is deleted

	RemovalsDropped uint64 // removals that OnRemove was not told of, since too many waited
	RemovalPanics   uint64 // calls of OnRemove that panicked
}

// A Latency is how long calls took, in buckets that are the same on every member and for
// every group. The zero Latency has counted none.
type Latency struct {
	Sum    time.Duration // total of all calls
	counts [tally.Buckets]uint64
}

// Count returns how many calls there were.
func (l Latency) Count() (n uint64) {
	for _, c := range l.counts {
		n += c
	}
	return n
}

// Buckets iterates over the bounds of the buckets, from 100 µs to 30 s, and how many calls
// took no longer than each; what took longer than the last is in Count alone.
func (l Latency) Buckets() iter.Seq2[time.Duration, uint64] {
	return func(yield func(time.Duration, uint64) bool) {
		var n uint64
		for i, c := range l.counts[:tally.Buckets-1] {
			if n += c; !yield(tally.Bound(i), n) {
				return
			}
		}
	}
}

func latencyOf(t *tally.Times) Latency { return Latency{Sum: t.Sum(), counts: t.Counts()} }

// Stats returns what this member counted for the group.
func (g *Group[V]) Stats() Stats { return statsOf(g.core) }

func statsOf(c *groups.Core) Stats {
	k, l, st := &c.Stats, &c.Origin.Counts, c.Store.Stats()
	s := Stats{
		OwnHits: k.LateHits.Load(), Loads: l.Loads.Load(), LoadErrors: l.Failed.Load(),
		LoadTime: l.Took.Sum(), LoadMax: time.Duration(l.Most.Load()),
		Refreshes: c.Counts.Refreshes.Load(), StaleServed: c.Counts.StaleServed.Load(), NegativeHits: k.NegativeHits.Load(),
		Deduplicated: c.Counts.Deduplicated.Load(), StuckLoads: c.Counts.StuckLoads.Load(), StuckWrites: c.Counts.StuckWrites.Load(),
		Unreadable: c.Unreadable.Count.Load(), UnknownGroup: c.UnknownTo.Calls.Load(),
		PeerErrors: k.PeerErrors.Load(), Retries: k.Retries.Load(), Purges: k.Purges.Load(),
		TooLarge: c.Counts.TooLarge.Load(), Evictions: st.Evicted, Rejected: st.Rejected, Collided: st.Collided, Expired: st.Expired,
		Entries: int64(st.Entries), Bytes: c.Bytes(st),
	}
	s.LoadLatency, s.PeerLatency = latencyOf(&l.Took), latencyOf(&k.PeerTook)
	s.ClaimsWon, s.ClaimsFilled, s.ClaimsVoid = c.Counts.ClaimsWon.Load(), c.Counts.ClaimsFilled.Load(), c.Counts.ClaimsVoid.Load()
	s.ClaimsLost, s.ClaimsWaiting = c.Counts.ClaimsLost.Load(), c.Counts.ClaimsWaiting.Load()
	s.MaxBytes, s.RefreshErrors = c.MaxBytes.Load(), c.Counts.RefreshErrors.Load()
	s.Fullness = fullness(s.Bytes, s.MaxBytes)
	if p := c.Counts.RefreshError.Load(); p != nil {
		s.RefreshError = *p
	}
	lists, labels := c.Labels.Bytes()
	s.Tags, s.TagBytes, s.TagErrors = c.Labels.Tags(), lists+labels, c.Counts.TagErrors.Load()
	if l := c.Listener; l != nil {
		s.RemovalsDropped, s.RemovalPanics = l.Dropped.Load(), l.Panics.Load()
	}
	if cp := c.Copies(); cp != nil {
		st := cp.Stats()
		s.Lacking, s.Hidden, s.Repaired = int64(st.Lacking), int64(st.Hidden), st.Repairs
		if !st.Ready || st.Few {
			s.Lacking = max(s.Lacking, 1)
		}
	}
	for i := range k.Stripes {
		addStripe(&s, &k.Stripes[i])
	}
	return s
}

// fullness returns bytes as a part of those that there may be.
func fullness(bytes, most int64) float64 {
	if most <= 0 {
		return 0
	}
	return float64(bytes) / float64(most)
}

// addStripe adds what one stripe counted.
func addStripe(s *Stats, k *route.Stripe) {
	own, hot := k.Own.Load(), k.Hot.Load()
	s.Gets += own + hot + k.Slow.Load()
	s.OwnHits += own
	s.HotHits += hot
	s.PeerCalls += k.PeerCalls.Load()
	s.PeerHits += k.PeerHits.Load()
	s.Served += k.Served.Load()
	s.Sets += k.Sets.Load()
	s.Deletes += k.Deletes.Load()
}

// NodeStats is what a node counted since New, over all groups.
type NodeStats struct {
	Members int    // in its view
	Epoch   uint64 // views it has held
	Settled bool   // every member acts by that view
	Missing int    // members that vanished without leaving and are not forgotten yet

	// Mode is by what right this member answers: "majority"; "half" of a mesh of
	// two, or "minority", which keep what they load for MaxStale at most, and a
	// minority's writes return ErrMinority; "unsettled": the members do not agree yet.
	Mode        string
	ModeSince   time.Duration // how long that is so
	Primary     uint64        // number of the majority's view; 0: it has none
	WaitsFor    []string      // names of members whose return, or end, would make a majority
	Unreachable []string      // IDs of members that gossip and cannot be called, if any
	Expelled    []string      // names of members that this one goes on without for that reason

	PeerCalls   uint64 // calls made to peers, those for no group included
	PeerErrors  uint64 // of these, those that failed before an answer came
	Calls       uint64 // PeerCalls under its former name
	CallErrors  uint64 // PeerErrors under its former name
	Relayed     uint64 // calls that another member passed on, because the one wanted could not be reached from here
	CallsServed uint64 // calls answered for peers
	ConnsIn     int    // open connections from peers
	ConnsOut    int    // open connections to peers
	BytesIn     uint64 // on those connections
	BytesOut    uint64

	// Refused counts connections that were refused when they opened, and gossip
	// packets of another mesh, and BadFrames connections that were closed for what
	// the peer sent, both by reason. Refused["tls"] counts failed TLS handshakes in
	// both directions, Refused["handshake not finished"] connections that proved
	// nothing in 2 s or had to make room.
	Refused   map[string]uint64
	BadFrames map[string]uint64

	TotalBytes int64   // Options.TotalBytes; 0: none
	MaxBytes   int64   // of all groups together
	Bytes      int64   // that they take of it
	Fullness   float64 // Bytes as a part of MaxBytes, from 0 to 1

	HandedOver  uint64 // values without a loader that other members took from this one, as it left or they joined
	Lost        uint64 // values without a loader that were this member's, and that no new owner took
	ParkedBytes int    // that parked values take, beside MaxBytes; at most 64 MiB, or a quarter of TotalBytes
	Parked      int    // values that others handed over for groups that are not registered here yet
	ParkedLost  uint64 // of such values, those that had no room here

	// Health is gossip's opinion of this member: 0 is healthy, more means that it or
	// its network answers late.
	Health int

	GossipPacketsIn, GossipPacketsOut uint64
	GossipBytesIn, GossipBytesOut     uint64 // of packets and streams
}

// Stats returns what the node counted. It is cheap, and safe at any time.
func (n *Node) Stats() NodeStats {
	p := n.end.Pool.Stats()
	s := NodeStats{
		PeerCalls: p.Calls, PeerErrors: p.CallErrors, Calls: p.Calls, CallErrors: p.CallErrors, CallsServed: p.ServedFast + p.Served,
		ConnsIn: p.ConnsIn, ConnsOut: p.ConnsOut, BytesIn: p.BytesIn, BytesOut: p.BytesOut,
		Refused: maps.Clone(p.Refused), BadFrames: maps.Clone(p.BadFrames),
	}
	s.Relayed, s.Lost, s.HandedOver = n.end.Ways.Relayed.Load(), n.groups.Mover.Lost(), n.groups.Mover.HandedOver()
	s.TotalBytes = n.opts.TotalBytes
	for _, c := range n.groups.All() {
		s.MaxBytes += c.MaxBytes.Load()
		s.Bytes += c.Bytes(c.Store.Stats())
	}
	s.Fullness = fullness(s.Bytes, s.MaxBytes)
	if v := n.state.View(); v != nil {
		s.Members, s.Epoch, s.Settled = len(v.Members), v.Epoch, v.Settled()
	}
	if ms := n.gossip.Membership(); ms != nil {
		g := ms.Stats()
		s.GossipPacketsIn, s.GossipPacketsOut = g.PacketsIn, g.PacketsOut
		s.GossipBytesIn, s.GossipBytesOut = g.PacketBytesIn+g.StreamBytesIn, g.PacketBytesOut+g.StreamBytesOut
		s.Health = g.Health
		if g.OtherMesh > 0 {
			if s.Refused == nil {
				s.Refused = make(map[string]uint64)
			}
			s.Refused["mesh"] += g.OtherMesh
		}
	}
	parked := n.groups.Mover.Parking.Stats()
	s.Parked, s.ParkedBytes, s.ParkedLost = parked.Values, parked.Bytes, parked.Lost
	st := n.settler.Standing()
	s.Mode, s.ModeSince, s.Primary, s.Missing = st.Mode, st.Since, st.Primary, st.Missing
	s.WaitsFor, s.Unreachable, s.Expelled = st.WaitsFor, st.Unreachable, st.Expelled
	return s
}
