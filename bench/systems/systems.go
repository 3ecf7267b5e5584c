// Package systems drives each system under comparison through one small
// interface, every one as its own documentation recommends.
package systems

import (
	"context"

	"github.com/praveenduddu/cachemesh/bench/delay"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// A System is one process's end of a system: a member, a client or a cache in
// memory. Its methods are called concurrently.
type System interface {
	// Get reads the item through the cache and checks the answer. The errors of
	// a wrong answer wrap work.ErrWrongValue.
	Get(ctx context.Context, it *work.Item) (work.Header, error)
	Close() error
}

// What some systems can do besides.
type (
	// A Setter writes a value into the cache.
	Setter interface {
		Set(ctx context.Context, it *work.Item, version uint64) error
	}
	// A Deleter makes the cache forget an item.
	Deleter interface {
		Delete(ctx context.Context, it *work.Item) error
	}
	// A Batcher reads many items with one call and checks the answers.
	Batcher interface {
		GetMany(ctx context.Context, items []*work.Item) error
	}
	// A Waiter becomes usable some time after it was started: Ready says whether
	// all members have found each other.
	Waiter interface {
		Ready(ctx context.Context) (bool, error)
	}
	// A Placer knows whether an item is held by this process. For others the
	// answer to a first Get tells.
	Placer interface {
		Here(it *work.Item) bool
	}
	// A PeerCounter counts the calls it made to peers.
	PeerCounter interface {
		PeerCalls() uint64
	}
	// A NearCounter counts the Gets answered in the memory of this very process.
	NearCounter interface {
		NearHits() uint64
	}
	// A HotCounter counts the Gets answered from copies of what others own.
	HotCounter interface {
		HotHits() uint64
	}
)

// A Kind says what processes a system consists of.
type Kind string

// Kinds of systems.
const (
	Mesh   Kind = "mesh"   // every process of the application is a member
	Served Kind = "served" // the application is a client of servers
	Local  Kind = "local"  // within one process, knowing nothing of others
)

// A Spec says what one process shall start.
type Spec struct {
	System     string
	Server     bool     // one of the system's servers, which is driven by nobody
	Index      int      // of this process among its like
	Addrs      []string // host:port of all members or servers
	Gossip     []string // a second host:port of each, for systems that need it
	CacheBytes int64    // budget of this process's cache; 0: it keeps nothing
	HotCopies  bool     // whether copies of what others own may be kept
	Entries    int      // expected, for systems that are sized so
	Origin     work.OriginSpec
	Delay      delay.Dialer // of the network between processes
}

// self returns the address of this process.
func (s *Spec) self() string { return s.Addrs[s.Index] }

// idleConns is how many connections are kept to a peer by those whose pool has
// to be sized: one for each caller of the largest work.
const idleConns = 512
