package systems

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/olric-data/olric"
	"github.com/olric-data/olric/config"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// olricTable is one DMap of Olric.
type olricTable struct {
	dmap   olric.DMap
	client olric.Client
	stop   func(context.Context) error
}

func (t *olricTable) get(ctx context.Context, key string) ([]byte, bool, error) {
	r, err := t.dmap.Get(ctx, key)
	if missing(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	b, err := r.Byte()
	return b, true, err
}

// missing reports whether an error means that there is no such key. In a process
// without a member the client does not recognise the server's answer as
// ErrKeyNotFound, and only its text tells.
func missing(err error) bool {
	return errors.Is(err, olric.ErrKeyNotFound) || err != nil && err.Error() == olric.ErrKeyNotFound.Error()
}

func (t *olricTable) set(ctx context.Context, key string, value []byte) error {
	return t.dmap.Put(ctx, key, value)
}

func (t *olricTable) del(ctx context.Context, key string) error {
	_, err := t.dmap.Delete(ctx, key)
	if missing(err) {
		return nil
	}
	return err
}

func (t *olricTable) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return t.stop(ctx)
}

// olricSystem is a member or a client.
type olricSystem struct {
	lookAside
	t     *olricTable
	owned func(partition uint64) bool // nil for a client
	parts uint64
	spec  Spec
}

// olricConfig is the configuration for a loopback network.
func olricConfig(s Spec) (*config.Config, error) {
	c := config.New("local")
	if err := bindTo(&c.BindAddr, &c.BindPort, s.self()); err != nil {
		return nil, err
	}
	m := c.MemberlistConfig
	if err := bindTo(&m.BindAddr, &m.BindPort, s.Gossip[s.Index]); err != nil {
		return nil, err
	}
	m.AdvertisePort = m.BindPort
	c.Peers = s.Gossip[:s.Index]
	c.LogOutput = io.Discard
	c.Logger = log.New(io.Discard, "", 0)
	if s.Delay > 0 {
		c.Client = config.NewClient()
		c.Client.Dialer = s.Delay.DialContext
	}
	return c, nil
}

func bindTo(host *string, port *int, addr string) (err error) {
	h, p, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	*host = h
	*port, err = strconv.Atoi(p)
	return err
}

func openOlricEmbedded(ctx context.Context, s Spec, o work.Origin) (System, error) {
	c, err := olricConfig(s)
	if err != nil {
		return nil, err
	}
	started := make(chan struct{})
	c.Started = func() { close(started) }
	db, err := olric.New(c)
	if err != nil {
		return nil, err
	}
	failed := make(chan error, 1)
	go func() { failed <- db.Start() }() // ends when the member shuts down
	select {
	case <-started:
	case err := <-failed:
		return nil, fmt.Errorf("olric: %w", err)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	client := db.NewEmbeddedClient()
	dmap, err := client.NewDMap(groupName)
	if err != nil {
		return nil, err
	}
	return newOlric(s, o, &olricTable{dmap, client, db.Shutdown}), nil
}

func openOlricClient(_ context.Context, s Spec, o work.Origin) (System, error) {
	opts := []olric.ClusterClientOption{olric.WithLogger(log.New(io.Discard, "", 0))}
	if s.Delay > 0 {
		c := config.NewClient()
		c.Dialer = s.Delay.DialContext
		opts = append(opts, olric.WithConfig(c))
	}
	client, err := olric.NewClusterClient(s.Addrs, opts...)
	if err != nil {
		return nil, err
	}
	dmap, err := client.NewDMap(groupName)
	if err != nil {
		return nil, err
	}
	return newOlric(s, o, &olricTable{dmap, client, client.Close}), nil
}

func newOlric(s Spec, o work.Origin, t *olricTable) *olricSystem {
	sys := &olricSystem{lookAside: lookAside{table: t, origin: o, index: s.Index}, t: t, spec: s}
	sys.near = sys.Here
	return sys
}

// Ready waits until every member owns partitions.
func (o *olricSystem) Ready(ctx context.Context) (bool, error) {
	if e, _ := Find(o.spec.System); e.Kind == Served && !o.spec.Server {
		return true, nil
	}
	routes, err := o.t.client.RoutingTable(ctx)
	if err != nil {
		return false, nil // not yet
	}
	owners := make(map[string]bool)
	mine := make(map[uint64]bool)
	for part, route := range routes {
		if len(route.PrimaryOwners) != 1 {
			return false, nil // moving
		}
		owners[route.PrimaryOwners[0]] = true
		mine[part] = route.PrimaryOwners[0] == o.spec.self()
	}
	o.parts = uint64(len(routes))
	o.owned = func(part uint64) bool { return mine[part] }
	return len(owners) == len(o.spec.Addrs), nil
}

// Here follows Olric's placement: the hash of the map's name and the key.
func (o *olricSystem) Here(it *work.Item) bool {
	return o.owned != nil && o.owned(xxhash.Sum64String(groupName+it.Key)%o.parts)
}

// GetMany is a pipeline, which is sent to each member at once.
func (o *olricSystem) GetMany(ctx context.Context, items []*work.Item) error {
	pipe, err := o.t.dmap.Pipeline()
	if err != nil {
		return err
	}
	defer pipe.Close()
	futures := make([]*olric.FutureGet, len(items))
	for i, it := range items {
		futures[i] = pipe.Get(ctx, it.Key)
	}
	if err := pipe.Exec(ctx); err != nil {
		return err
	}
	for i, it := range items {
		r, err := futures[i].Result()
		if err != nil {
			return err
		}
		b, err := r.Byte()
		if err != nil {
			return err
		}
		if _, err := it.Check(b); err != nil {
			return err
		}
	}
	return nil
}
