package systems

import (
	"context"
	"fmt"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// An Entry describes a system.
type Entry struct {
	Name    string // on the command line and in the raw data
	Title   string // in tables
	Module  string // Go module whose version is reported
	Kind    Kind
	Program string // server program to run, such as redis-server; empty: this program
	Rival   string // what it is beside CacheMesh, in tables; empty: no rival
	Note    string // how it is driven
	open    func(ctx context.Context, s Spec, o work.Origin) (System, error)
}

// All lists the systems; the first is the one that the others are compared with.
var All = []Entry{
	{"cachemesh", "CacheMesh", "github.com/praveenduddu/cachemesh", Mesh, "", "", "a group of []byte with a loader", openMesh},
	{"cachemesh-struct", "CacheMesh, struct", "github.com/praveenduddu/cachemesh", Mesh, "", "", "a group of structs with the default codec", openMeshStruct},
	{"groupcache", "golang/groupcache", "github.com/golang/groupcache", Mesh, "", "meshes that load", "HTTPPool, its transport keeping an idle connection per caller; values as ByteView", openGroupcache},
	{"groupcache-go", "groupcache-go v3", "github.com/groupcache/groupcache-go/v3", Mesh, "", "meshes that load", "HTTP transport keeping an idle connection per caller; values as ByteView", openGroupcacheGo},
	{"galaxycache", "galaxycache (gRPC)", "github.com/vimeo/galaxycache", Mesh, "", "meshes that load", "gRPC without TLS; a codec that does not copy", openGalaxy},
	{"olric-embedded", "Olric, embedded", "github.com/olric-data/olric", Mesh, "", "maps spread over members", "EmbeddedClient, one copy of each key; look-aside with singleflight", openOlricEmbedded},
	{"olric", "Olric, cluster client", "github.com/olric-data/olric", Served, "", "maps spread over members", "ClusterClient to members in other processes; look-aside with singleflight", openOlricClient},
	{"redis-rueidis", "Redis, rueidis", "github.com/redis/rueidis", Served, "redis-server", "servers", "automatic pipelining, no client-side cache; look-aside with singleflight", openRueidis},
	{"redis-go-redis", "Redis, go-redis", "github.com/redis/go-redis/v9", Served, "redis-server", "servers", "default pool; look-aside with singleflight", openGoRedis},
	{"redis-rueidis-cached", "Redis, rueidis, client-side caching", "github.com/redis/rueidis", Served, "redis-server", "servers, cached by the client", "DoCache, the default opt-in tracking and cache; look-aside with singleflight", openRueidisCached},
	{"redis-go-redis-cached", "Redis, go-redis, client-side caching", "github.com/redis/go-redis/v9", Served, "redis-server", "servers, cached by the client", "ClientSideCacheConfig, which is experimental there, else defaults; look-aside with singleflight", openGoRedisCached},
	{"memcached", "memcached, gomemcache", "github.com/bradfitz/gomemcache", Served, "memcached", "servers", "an idle connection per caller; look-aside with singleflight", openMemcached},
	{"ristretto", "ristretto", "github.com/dgraph-io/ristretto/v2", Local, "", "", "bare, ten counters per entry", openRistretto},
	{"otter", "otter v2", "github.com/maypok86/otter/v2", Local, "", "", "with a loader", openOtter},
	{"sturdyc", "sturdyc", "github.com/viccon/sturdyc", Local, "", "", "Get, then GetOrFetch", openSturdyc},
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
