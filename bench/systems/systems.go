// Package systems drives each system under comparison through one small
// interface, every one as its own documentation recommends.
package systems

import (
	"context"
	"fmt"

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
}

// self returns the address of this process.
func (s *Spec) self() string { return s.Addrs[s.Index] }

// An Entry describes a system.
type Entry struct {
	Name    string // on the command line and in the raw data
	Title   string // in tables
	Module  string // Go module whose version is reported
	Kind    Kind
	Program string // server program to run, such as redis-server; empty: this program
	Note    string // how it is driven
	open    func(ctx context.Context, s Spec, o work.Origin) (System, error)
}

// All lists the systems; the first is the one that the others are compared with.
var All = []Entry{
	{"cachemesh", "CacheMesh", "github.com/praveenduddu/cachemesh", Mesh, "", "a group of []byte with a loader", openMesh},
	{"cachemesh-struct", "CacheMesh, struct", "github.com/praveenduddu/cachemesh", Mesh, "", "a group of structs with the default codec", openMeshStruct},
	{"groupcache", "golang/groupcache", "github.com/golang/groupcache", Mesh, "", "HTTPPool, its transport keeping an idle connection per caller; values as ByteView", openGroupcache},
	{"groupcache-go", "groupcache-go v3", "github.com/groupcache/groupcache-go/v3", Mesh, "", "HTTP transport keeping an idle connection per caller; values as ByteView", openGroupcacheGo},
	{"galaxycache", "galaxycache (gRPC)", "github.com/vimeo/galaxycache", Mesh, "", "gRPC without TLS; a codec that does not copy", openGalaxy},
	{"olric-embedded", "Olric, embedded", "github.com/olric-data/olric", Mesh, "", "EmbeddedClient, one copy of each key; look-aside with singleflight", openOlricEmbedded},
	{"olric", "Olric, cluster client", "github.com/olric-data/olric", Served, "", "ClusterClient to members in other processes; look-aside with singleflight", openOlricClient},
	{"redis-rueidis", "Redis, rueidis", "github.com/redis/rueidis", Served, "redis-server", "automatic pipelining, no client-side cache; look-aside with singleflight", openRueidis},
	{"redis-go-redis", "Redis, go-redis", "github.com/redis/go-redis/v9", Served, "redis-server", "default pool; look-aside with singleflight", openGoRedis},
	{"memcached", "memcached, gomemcache", "github.com/bradfitz/gomemcache", Served, "memcached", "an idle connection per caller; look-aside with singleflight", openMemcached},
	{"ristretto", "ristretto", "github.com/dgraph-io/ristretto/v2", Local, "", "bare, ten counters per entry", openRistretto},
	{"otter", "otter v2", "github.com/maypok86/otter/v2", Local, "", "with a loader", openOtter},
	{"sturdyc", "sturdyc", "github.com/viccon/sturdyc", Local, "", "Get, then GetOrFetch", openSturdyc},
}

// Find returns the entry of a name.
func Find(name string) (Entry, error) {
	for _, e := range All {
		if e.Name == name {
			return e, nil
		}
	}
	return Entry{}, fmt.Errorf("there is no system %q", name)
}

// Open starts this process's end of the system that the spec names.
func Open(ctx context.Context, s Spec, o work.Origin) (System, error) {
	e, err := Find(s.System)
	if err != nil {
		return nil, err
	}
	if s.Server {
		return openOlricEmbedded(ctx, s, o)
	}
	return e.open(ctx, s, o)
}

// idleConns is how many connections are kept to a peer by those whose pool has
// to be sized: one for each caller of the largest work.
const idleConns = 512
