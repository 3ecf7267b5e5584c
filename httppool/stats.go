package httppool

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Stats counts what a Pool did since New.
type Stats struct {
	Calls      uint64 // to peers, that reached a connection
	CallErrors uint64
	Retries    uint64 // calls moved to a new connection
	Dials      uint64
	DialErrors uint64

	ServedFast uint64 // calls from peers, answered by ServeFast
	Served     uint64 // calls from peers, handed to Serve
	Overloaded uint64 // calls from peers, answered StatusOverloaded
	Panics     uint64 // of handlers

	BytesIn, BytesOut uint64 // on connections for calls
	ConnsOut, ConnsIn int    // open now
	Refused           map[string]uint64
	BadFrames         map[string]uint64
}

// counters are those of the Pool itself; the others lie with each connection.
type counters struct {
	callErrors, retries, dials, dialErrors, overloaded, panics atomic.Uint64
	refused, badFrames                                         reasons
}

// reasons counts by one of a fixed set of words.
type reasons struct {
	mu sync.Mutex // guards n
	n  map[string]uint64
}

func (r *reasons) add(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == nil {
		r.n = make(map[string]uint64)
	}
	r.n[reason]++
}

func (r *reasons) copy() map[string]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.n)
}

// tallied is a connection with counts of its own.
type tallied interface{ tally(s *Stats) }

const (
	noticeEvery = time.Minute
	maxNotices  = 1024
)

// notices keeps the log from repeating itself for each peer and reason.
type notices struct {
	mu   sync.Mutex // guards last
	last map[[2]string]time.Time
}

// due reports whether reason may be logged for host now. When too many peers are
// remembered it forgets those whose time is over, or else stays silent.
func (n *notices) due(host, reason string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := [2]string{host, reason}
	if last, ok := n.last[key]; ok && now.Sub(last) < noticeEvery {
		return false
	}
	if len(n.last) >= maxNotices {
		maps.DeleteFunc(n.last, func(_ [2]string, t time.Time) bool { return now.Sub(t) >= noticeEvery })
		if len(n.last) >= maxNotices {
			return false
		}
	}
	if n.last == nil {
		n.last = make(map[[2]string]time.Time)
	}
	n.last[key] = now
	return true
}
