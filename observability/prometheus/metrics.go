package prometheus

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/praveenduddu/cachemesh"
)

const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue

// A groupMetric is one number of a group's Stats.
type groupMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	label string // beside the group's name; "": none
	value func(*cachemesh.Stats) float64
}

// A nodeMetric is one number of NodeStats.
type nodeMetric struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	labels []string
	value  func(*cachemesh.NodeStats) float64
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("cachemesh_"+name, help, labels, nil)
}

// ofGroup returns the description of a metric of a group, with one more label at most.
func ofGroup(name, help string, label ...string) *prometheus.Desc {
	return desc(name, help, append([]string{"group"}, label...)...)
}

func count(d *prometheus.Desc, label string, of func(*cachemesh.Stats) uint64) groupMetric {
	return groupMetric{d, counter, label, func(s *cachemesh.Stats) float64 { return float64(of(s)) }}
}

func level(d *prometheus.Desc, of func(*cachemesh.Stats) int64) groupMetric {
	return groupMetric{d, gauge, "", func(s *cachemesh.Stats) float64 { return float64(of(s)) }}
}

func counted(d *prometheus.Desc, of func(*cachemesh.NodeStats) uint64, labels ...string) nodeMetric {
	return nodeMetric{d, counter, labels, func(s *cachemesh.NodeStats) float64 { return float64(of(s)) }}
}

func measured(d *prometheus.Desc, of func(*cachemesh.NodeStats) float64, labels ...string) nodeMetric {
	return nodeMetric{d, gauge, labels, of}
}

// What more than one metric has, or is made in another way.
var (
	gets         = ofGroup("gets_total", "Gets on this member, and keys of GetMany, by what answered: this member's own part of the keys, its copy of a key that another owns, that owner's memory, or nobody's memory (miss: a load, or an error).", "result")
	loads        = ofGroup("loads_total", "Calls of the loader on this member that are over; ErrNotFound is no error.", "result")
	evictions    = ofGroup("evictions_total", "Entries that gave way to others: for want of room, new ones that were read less than what they would have replaced, and those with the hash of another key.", "cause")
	peerRequests = ofGroup("peer_requests_total", "Calls to peers that are over, but for hand-overs.", "result")
	loadLatency  = ofGroup("load_duration_seconds", "What calls of the loader took.")
	peerLatency  = ofGroup("peer_request_duration_seconds", "What calls to peers took, but for hand-overs.")

	calls     = desc("node_calls_total", "Calls to peers, over all groups and beside them: begun, failed before an answer came, passed on by a third member, and answered for peers.", "kind")
	conns     = desc("node_connections", "Open connections with peers.", "direction")
	bytes     = desc("node_connection_bytes_total", "Bytes on connections with peers.", "direction")
	packets   = desc("node_gossip_packets_total", "Packets of gossip.", "direction")
	gossip    = desc("node_gossip_bytes_total", "Bytes of gossip, packets and streams.", "direction")
	mode      = desc("node_mode", "1 for the right by which this member answers, 0 for the others.", "mode")
	refused   = desc("node_refused_total", "Connections that were refused as they opened, and gossip packets of another mesh.", "reason")
	badFrames = desc("node_bad_frames_total", "Connections that were closed for what the peer sent.", "reason")
)

// modes are the values of NodeStats.Mode.
var modes = []string{"majority", "half", "minority", "unsettled"}

// groupMetrics are those of a group, but for histograms and remainders.
var groupMetrics = []groupMetric{
	count(gets, "own", func(s *cachemesh.Stats) uint64 { return s.OwnHits }),
	count(gets, "copy", func(s *cachemesh.Stats) uint64 { return s.HotHits }),
	count(gets, "peer", func(s *cachemesh.Stats) uint64 { return s.PeerHits }),
	count(loads, "error", func(s *cachemesh.Stats) uint64 { return s.LoadErrors }),
	count(peerRequests, "error", func(s *cachemesh.Stats) uint64 { return s.PeerErrors }),
	count(evictions, "room", func(s *cachemesh.Stats) uint64 { return s.Evictions - s.Rejected - s.Collided }),
	count(evictions, "rejected", func(s *cachemesh.Stats) uint64 { return s.Rejected }),
	count(evictions, "collided", func(s *cachemesh.Stats) uint64 { return s.Collided }),
	count(ofGroup("negative_hits_total", "Gets that were answered by a remembered \"not found\"."), "", func(s *cachemesh.Stats) uint64 { return s.NegativeHits }),
	count(ofGroup("served_total", "Gets that peers asked of this member."), "", func(s *cachemesh.Stats) uint64 { return s.Served }),
	count(ofGroup("deduplicated_gets_total", "Gets that joined a load that was under way here."), "", func(s *cachemesh.Stats) uint64 { return s.Deduplicated }),
	count(ofGroup("stuck_loads_total", "Loads whose loader had not returned when their time was over."), "", func(s *cachemesh.Stats) uint64 { return s.StuckLoads }),
	count(ofGroup("refreshes_total", "Loads that replaced a value before its TTL passed."), "", func(s *cachemesh.Stats) uint64 { return s.Refreshes }),
	count(ofGroup("refresh_errors_total", "Refreshes that failed: the value before them was served."), "", func(s *cachemesh.Stats) uint64 { return s.RefreshErrors }),
	count(ofGroup("stale_served_total", "Values that were served past their TTL because the loader failed."), "", func(s *cachemesh.Stats) uint64 { return s.StaleServed }),
	count(ofGroup("unreadable_total", "Values that were misses because they could not be decoded or have another Version."), "", func(s *cachemesh.Stats) uint64 { return s.Unreadable }),
	count(ofGroup("unknown_group_total", "Calls to which a member answered that it does not know the group."), "", func(s *cachemesh.Stats) uint64 { return s.UnknownGroup }),
	count(ofGroup("sets_total", "Set calls on this member."), "", func(s *cachemesh.Stats) uint64 { return s.Sets }),
	count(ofGroup("deletes_total", "Keys of Delete calls on this member."), "", func(s *cachemesh.Stats) uint64 { return s.Deletes }),
	count(ofGroup("purges_total", "DeleteTag, DeletePrefix and Clear calls on this member."), "", func(s *cachemesh.Stats) uint64 { return s.Purges }),
	count(ofGroup("stuck_writes_total", "Calls of the Writer that had not returned when twice their time was over."), "", func(s *cachemesh.Stats) uint64 { return s.StuckWrites }),
	count(ofGroup("retries_total", "Attempts that were repeated because the owner had moved or could not be reached."), "", func(s *cachemesh.Stats) uint64 { return s.Retries }),
	count(ofGroup("too_large_total", "Loaded values that were too large to be kept."), "", func(s *cachemesh.Stats) uint64 { return s.TooLarge }),
	count(ofGroup("expired_total", "Entries that were removed because their TTL had passed."), "", func(s *cachemesh.Stats) uint64 { return s.Expired }),
	count(ofGroup("claims_won_total", "Claims on this member's keys that were granted."), "", func(s *cachemesh.Stats) uint64 { return s.ClaimsWon }),
	count(ofGroup("claims_filled_total", "Claims that ended as they should."), "", func(s *cachemesh.Stats) uint64 { return s.ClaimsFilled }),
	count(ofGroup("claims_void_total", "Claims that a write, or the loss of the key, came before: nothing was stored."), "", func(s *cachemesh.Stats) uint64 { return s.ClaimsVoid }),
	count(ofGroup("claims_lost_total", "Claims whose holder was gone, gave up or took too long."), "", func(s *cachemesh.Stats) uint64 { return s.ClaimsLost }),
	level(ofGroup("claims_waiting", "Callers that wait for claims."), func(s *cachemesh.Stats) int64 { return s.ClaimsWaiting }),
	level(ofGroup("entries", "Entries in this member's store."), func(s *cachemesh.Stats) int64 { return s.Entries }),
	level(ofGroup("bytes", "Bytes of max_bytes that the group takes: entries, copies of others' keys, all bookkeeping."), func(s *cachemesh.Stats) int64 { return s.Bytes }),
	level(ofGroup("max_bytes", "Bytes that the group may take on this member."), func(s *cachemesh.Stats) int64 { return s.MaxBytes }),
}

// nodeMetrics are those of the node, but for its mode and what is counted by reason.
var nodeMetrics = []nodeMetric{
	measured(desc("node_members", "Members in this member's view."), func(s *cachemesh.NodeStats) float64 { return float64(s.Members) }),
	measured(desc("node_settled", "1 if every member acts by this member's view, else 0."), func(s *cachemesh.NodeStats) float64 { return truth(s.Settled) }),
	counted(desc("node_views_total", "Views that this member has held."), func(s *cachemesh.NodeStats) uint64 { return s.Epoch }),
	measured(desc("node_missing_members", "Members that vanished without leaving and are not forgotten yet."), func(s *cachemesh.NodeStats) float64 { return float64(s.Missing) }),
	measured(desc("node_waits_for_members", "Members whose return, or end, would make a majority."), func(s *cachemesh.NodeStats) float64 { return float64(len(s.WaitsFor)) }),
	measured(desc("node_unreachable_members", "Members that gossip and cannot be called."), func(s *cachemesh.NodeStats) float64 { return float64(len(s.Unreachable)) }),
	measured(desc("node_expelled_members", "Members that this one goes on without because most cannot call them."), func(s *cachemesh.NodeStats) float64 { return float64(len(s.Expelled)) }),
	measured(desc("node_mode_seconds", "How long the mode has been what it is."), func(s *cachemesh.NodeStats) float64 { return s.ModeSince.Seconds() }),
	measured(desc("node_health", "Gossip's opinion of this member: 0 is healthy, more means that it or its network answers late."), func(s *cachemesh.NodeStats) float64 { return float64(s.Health) }),
	counted(calls, func(s *cachemesh.NodeStats) uint64 { return s.Calls }, "begun"),
	counted(calls, func(s *cachemesh.NodeStats) uint64 { return s.CallErrors }, "failed"),
	counted(calls, func(s *cachemesh.NodeStats) uint64 { return s.Relayed }, "relayed"),
	counted(calls, func(s *cachemesh.NodeStats) uint64 { return s.CallsServed }, "served"),
	measured(conns, func(s *cachemesh.NodeStats) float64 { return float64(s.ConnsIn) }, "in"),
	measured(conns, func(s *cachemesh.NodeStats) float64 { return float64(s.ConnsOut) }, "out"),
	counted(bytes, func(s *cachemesh.NodeStats) uint64 { return s.BytesIn }, "in"),
	counted(bytes, func(s *cachemesh.NodeStats) uint64 { return s.BytesOut }, "out"),
	counted(packets, func(s *cachemesh.NodeStats) uint64 { return s.GossipPacketsIn }, "in"),
	counted(packets, func(s *cachemesh.NodeStats) uint64 { return s.GossipPacketsOut }, "out"),
	counted(gossip, func(s *cachemesh.NodeStats) uint64 { return s.GossipBytesIn }, "in"),
	counted(gossip, func(s *cachemesh.NodeStats) uint64 { return s.GossipBytesOut }, "out"),
	measured(desc("node_total_bytes", "Options.TotalBytes; 0: none."), func(s *cachemesh.NodeStats) float64 { return float64(s.TotalBytes) }),
	counted(desc("node_handed_over_total", "Values without a loader that other members took from this one."), func(s *cachemesh.NodeStats) uint64 { return s.HandedOver }),
	counted(desc("node_lost_total", "Values without a loader that were this member's and that no new owner took."), func(s *cachemesh.NodeStats) uint64 { return s.Lost }),
	measured(desc("node_parked_values", "Values that came for groups that are not registered here yet."), func(s *cachemesh.NodeStats) float64 { return float64(s.Parked) }),
	measured(desc("node_parked_bytes", "Bytes that parked values take."), func(s *cachemesh.NodeStats) float64 { return float64(s.ParkedBytes) }),
	counted(desc("node_parked_lost_total", "Values for groups that are not registered here that had no room."), func(s *cachemesh.NodeStats) uint64 { return s.ParkedLost }),
}
