package otel

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/praveenduddu/cachemesh"
)

// A spec says what an instrument is.
type spec struct {
	name, unit, help string
	make             func(metric.Meter) (metric.Observable, error)
}

// A groupNumber is one number of a group.
type groupNumber struct {
	spec
	attributes []attribute.KeyValue // beside the group's name; none has room behind it
	value      func(*cachemesh.Stats, *remainders) float64
}

// A nodeNumber is one number of a node.
type nodeNumber struct {
	spec
	attributes []attribute.KeyValue
	value      func(*cachemesh.NodeStats) float64
}

// counter returns the spec of a number that grows.
func counter(name, unit, help string) spec {
	s := spec{name: "cachemesh." + name, unit: unit, help: help}
	s.make = func(m metric.Meter) (metric.Observable, error) {
		if unit == "s" {
			return m.Float64ObservableCounter(s.name, metric.WithUnit(unit), metric.WithDescription(help))
		}
		return m.Int64ObservableCounter(s.name, metric.WithUnit(unit), metric.WithDescription(help))
	}
	return s
}

// level returns the spec of a number that rises and falls, and whose sum over members means something.
func level(name, unit, help string) spec {
	s := spec{name: "cachemesh." + name, unit: unit, help: help}
	s.make = func(m metric.Meter) (metric.Observable, error) {
		return m.Int64ObservableUpDownCounter(s.name, metric.WithUnit(unit), metric.WithDescription(help))
	}
	return s
}

// gauge returns the spec of a number whose sum means nothing.
func gauge(name, unit, help string) spec {
	s := spec{name: "cachemesh." + name, unit: unit, help: help}
	s.make = func(m metric.Meter) (metric.Observable, error) {
		return m.Float64ObservableGauge(s.name, metric.WithUnit(unit), metric.WithDescription(help))
	}
	return s
}

func of(key, value string) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("cachemesh."+key, value)}
}

// What more than one number has, or is not read from a table.
var (
	gets         = counter("gets", "{get}", "Gets on this member, and keys of GetMany, by what answered: this member's own part of the keys, its copy of a key that another owns, that owner's memory, or nobody's memory (miss: a load, or an error).")
	loads        = counter("loads", "{load}", "Calls of the loader on this member that are over; ErrNotFound is no error.")
	evictions    = counter("evictions", "{entry}", "Entries that gave way to others: for want of room, new ones that were read less than what they would have replaced, and those with the hash of another key.")
	peerRequests = counter("peer_requests", "{request}", "Calls to peers that are over, but for hand-overs.")
	calls        = counter("node.calls", "{call}", "Calls to peers, over all groups and beside them: begun, failed before an answer came, passed on by a third member, and answered for peers.")
	conns        = level("node.connections", "{connection}", "Open connections with peers.")
	bytes        = counter("node.connection_bytes", "By", "Bytes on connections with peers.")
	packets      = counter("node.gossip_packets", "{packet}", "Packets of gossip.")
	gossip       = counter("node.gossip_bytes", "By", "Bytes of gossip, packets and streams.")
	mode         = gauge("node.mode", "1", "1 for the right by which this member answers, 0 for the others.")
	refused      = counter("node.refused", "{connection}", "Connections that were refused as they opened, and gossip packets of another mesh.")
	badFrames    = counter("node.bad_frames", "{connection}", "Connections that were closed for what the peer sent.")
)

// modes are the values of NodeStats.Mode.
var modes = []string{"majority", "half", "minority", "unsettled"}

func count(s spec, of []attribute.KeyValue, value func(*cachemesh.Stats) uint64) groupNumber {
	return groupNumber{s, of, func(s *cachemesh.Stats, _ *remainders) float64 { return float64(value(s)) }}
}

func left(s spec, of []attribute.KeyValue, value func(*remainders) uint64) groupNumber {
	return groupNumber{s, of, func(_ *cachemesh.Stats, r *remainders) float64 { return float64(value(r)) }}
}

// groupNumbers are those of a group.
var groupNumbers = []groupNumber{
	left(gets, of("result", "miss"), func(r *remainders) uint64 { return r.misses }),
	left(loads, of("result", "ok"), func(r *remainders) uint64 { return r.loaded }),
	left(peerRequests, of("result", "ok"), func(r *remainders) uint64 { return r.answered }),
	count(gets, of("result", "own"), func(s *cachemesh.Stats) uint64 { return s.OwnHits }),
	count(gets, of("result", "copy"), func(s *cachemesh.Stats) uint64 { return s.HotHits }),
	count(gets, of("result", "peer"), func(s *cachemesh.Stats) uint64 { return s.PeerHits }),
	count(loads, of("result", "error"), func(s *cachemesh.Stats) uint64 { return s.LoadErrors }),
	count(peerRequests, of("result", "error"), func(s *cachemesh.Stats) uint64 { return s.PeerErrors }),
	count(evictions, of("cause", "room"), func(s *cachemesh.Stats) uint64 { return s.Evictions - s.Rejected - s.Collided }),
	count(evictions, of("cause", "rejected"), func(s *cachemesh.Stats) uint64 { return s.Rejected }),
	count(evictions, of("cause", "collided"), func(s *cachemesh.Stats) uint64 { return s.Collided }),
	count(counter("negative_hits", "{get}", "Gets that were answered by a remembered \"not found\"."), nil, func(s *cachemesh.Stats) uint64 { return s.NegativeHits }),
	count(counter("served", "{get}", "Gets that peers asked of this member."), nil, func(s *cachemesh.Stats) uint64 { return s.Served }),
	count(counter("deduplicated_gets", "{get}", "Gets that joined a load that was under way here."), nil, func(s *cachemesh.Stats) uint64 { return s.Deduplicated }),
	count(counter("stuck_loads", "{load}", "Loads whose loader had not returned when their time was over."), nil, func(s *cachemesh.Stats) uint64 { return s.StuckLoads }),
	count(counter("refreshes", "{load}", "Loads that replaced a value before its TTL passed."), nil, func(s *cachemesh.Stats) uint64 { return s.Refreshes }),
	count(counter("refresh_errors", "{load}", "Refreshes that failed: the value before them was served."), nil, func(s *cachemesh.Stats) uint64 { return s.RefreshErrors }),
	count(counter("stale_served", "{value}", "Values that were served past their TTL because the loader failed."), nil, func(s *cachemesh.Stats) uint64 { return s.StaleServed }),
	count(counter("unreadable", "{value}", "Values that were misses because they could not be decoded or have another Version."), nil, func(s *cachemesh.Stats) uint64 { return s.Unreadable }),
	count(counter("unknown_group", "{call}", "Calls to which a member answered that it does not know the group."), nil, func(s *cachemesh.Stats) uint64 { return s.UnknownGroup }),
	count(counter("sets", "{set}", "Set calls on this member."), nil, func(s *cachemesh.Stats) uint64 { return s.Sets }),
	count(counter("deletes", "{key}", "Keys of Delete calls on this member."), nil, func(s *cachemesh.Stats) uint64 { return s.Deletes }),
	count(counter("purges", "{call}", "DeleteTag, DeletePrefix and Clear calls on this member."), nil, func(s *cachemesh.Stats) uint64 { return s.Purges }),
	count(counter("stuck_writes", "{write}", "Calls of the Writer that had not returned when twice their time was over."), nil, func(s *cachemesh.Stats) uint64 { return s.StuckWrites }),
	count(counter("claims_won", "{claim}", "Claims on this member's keys that were granted."), nil, func(s *cachemesh.Stats) uint64 { return s.ClaimsWon }),
	count(counter("claims_filled", "{claim}", "Claims that ended as they should."), nil, func(s *cachemesh.Stats) uint64 { return s.ClaimsFilled }),
	count(counter("claims_void", "{claim}", "Claims that a write, or the loss of the key, came before: nothing was stored."), nil, func(s *cachemesh.Stats) uint64 { return s.ClaimsVoid }),
	count(counter("claims_lost", "{claim}", "Claims whose holder was gone, gave up or took too long."), nil, func(s *cachemesh.Stats) uint64 { return s.ClaimsLost }),
	count(counter("retries", "{attempt}", "Attempts that were repeated because the owner had moved or could not be reached."), nil, func(s *cachemesh.Stats) uint64 { return s.Retries }),
	count(counter("too_large", "{value}", "Loaded values that were too large to be kept."), nil, func(s *cachemesh.Stats) uint64 { return s.TooLarge }),
	count(counter("expired", "{entry}", "Entries that were removed because their TTL had passed."), nil, func(s *cachemesh.Stats) uint64 { return s.Expired }),
	{level("claims_waiting", "{caller}", "Callers that wait for claims."), nil, func(s *cachemesh.Stats, _ *remainders) float64 { return float64(s.ClaimsWaiting) }},
	{level("entries", "{entry}", "Entries in this member's store."), nil, func(s *cachemesh.Stats, _ *remainders) float64 { return float64(s.Entries) }},
	{level("bytes", "By", "Bytes of cachemesh.max_bytes that the group takes: entries, copies of others' keys, all bookkeeping."), nil, func(s *cachemesh.Stats, _ *remainders) float64 { return float64(s.Bytes) }},
	{level("max_bytes", "By", "Bytes that the group may take on this member."), nil, func(s *cachemesh.Stats, _ *remainders) float64 { return float64(s.MaxBytes) }},
	{counter("load.time", "s", "What calls of the loader took, all together."), nil, func(s *cachemesh.Stats, _ *remainders) float64 { return s.LoadLatency.Sum.Seconds() }},
	{counter("peer_request.time", "s", "What calls to peers took, all together, but for hand-overs."), nil, func(s *cachemesh.Stats, _ *remainders) float64 { return s.PeerLatency.Sum.Seconds() }},
}

// nodeNumbers are those of the node, but for its mode and what is counted by reason.
var nodeNumbers = []nodeNumber{
	{gauge("node.members", "{member}", "Members in this member's view."), nil, func(s *cachemesh.NodeStats) float64 { return float64(s.Members) }},
	{gauge("node.settled", "1", "1 if every member acts by this member's view, else 0."), nil, func(s *cachemesh.NodeStats) float64 { return truth(s.Settled) }},
	{counter("node.views", "{view}", "Views that this member has held."), nil, func(s *cachemesh.NodeStats) float64 { return float64(s.Epoch) }},
	{gauge("node.missing_members", "{member}", "Members that vanished without leaving and are not forgotten yet."), nil, func(s *cachemesh.NodeStats) float64 { return float64(s.Missing) }},
	{gauge("node.waits_for_members", "{member}", "Members whose return, or end, would make a majority."), nil, func(s *cachemesh.NodeStats) float64 { return float64(len(s.WaitsFor)) }},
	{gauge("node.unreachable_members", "{member}", "Members that gossip and cannot be called."), nil, func(s *cachemesh.NodeStats) float64 { return float64(len(s.Unreachable)) }},
	{gauge("node.expelled_members", "{member}", "Members that this one goes on without because most cannot call them."), nil, func(s *cachemesh.NodeStats) float64 { return float64(len(s.Expelled)) }},
	{gauge("node.mode_age", "s", "How long the mode has been what it is."), nil, func(s *cachemesh.NodeStats) float64 { return s.ModeSince.Seconds() }},
	{gauge("node.health", "1", "Gossip's opinion of this member: 0 is healthy, more means that it or its network answers late."), nil, func(s *cachemesh.NodeStats) float64 { return float64(s.Health) }},
	{calls, of("kind", "begun"), func(s *cachemesh.NodeStats) float64 { return float64(s.Calls) }},
	{calls, of("kind", "failed"), func(s *cachemesh.NodeStats) float64 { return float64(s.CallErrors) }},
	{calls, of("kind", "relayed"), func(s *cachemesh.NodeStats) float64 { return float64(s.Relayed) }},
	{calls, of("kind", "served"), func(s *cachemesh.NodeStats) float64 { return float64(s.CallsServed) }},
	{conns, of("direction", "in"), func(s *cachemesh.NodeStats) float64 { return float64(s.ConnsIn) }},
	{conns, of("direction", "out"), func(s *cachemesh.NodeStats) float64 { return float64(s.ConnsOut) }},
	{bytes, of("direction", "in"), func(s *cachemesh.NodeStats) float64 { return float64(s.BytesIn) }},
	{bytes, of("direction", "out"), func(s *cachemesh.NodeStats) float64 { return float64(s.BytesOut) }},
	{packets, of("direction", "in"), func(s *cachemesh.NodeStats) float64 { return float64(s.GossipPacketsIn) }},
	{packets, of("direction", "out"), func(s *cachemesh.NodeStats) float64 { return float64(s.GossipPacketsOut) }},
	{gossip, of("direction", "in"), func(s *cachemesh.NodeStats) float64 { return float64(s.GossipBytesIn) }},
	{gossip, of("direction", "out"), func(s *cachemesh.NodeStats) float64 { return float64(s.GossipBytesOut) }},
	{gauge("node.total_bytes", "By", "Options.TotalBytes; 0: none."), nil, func(s *cachemesh.NodeStats) float64 { return float64(s.TotalBytes) }},
	{counter("node.handed_over", "{value}", "Values without a loader that other members took from this one."), nil, func(s *cachemesh.NodeStats) float64 { return float64(s.HandedOver) }},
	{counter("node.lost", "{value}", "Values without a loader that were this member's and that no new owner took."), nil, func(s *cachemesh.NodeStats) float64 { return float64(s.Lost) }},
	{level("node.parked_values", "{value}", "Values that came for groups that are not registered here yet."), nil, func(s *cachemesh.NodeStats) float64 { return float64(s.Parked) }},
	{level("node.parked_bytes", "By", "Bytes that parked values take."), nil, func(s *cachemesh.NodeStats) float64 { return float64(s.ParkedBytes) }},
	{counter("node.parked_lost", "{value}", "Values for groups that are not registered here that had no room."), nil, func(s *cachemesh.NodeStats) float64 { return float64(s.ParkedLost) }},
}
