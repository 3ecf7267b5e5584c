package systems

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/bench/delay"
	"github.com/praveenduddu/cachemesh/bench/work"
)

const groupName = "bench"

// startNode starts a member and waits until it serves.
func startNode(s Spec) (*cachemesh.Node, error) {
	opts := cachemesh.Options{
		Name:           fmt.Sprintf("member-%d", s.Index),
		ListenAddr:     s.self(),
		BootstrapNodes: s.Addrs[:s.Index],
		RequireJoin:    true,
	}
	if s.Delay > 0 {
		opts.Network = far{s.Delay}
	}
	node, err := cachemesh.New(opts)
	if err != nil {
		return nil, err
	}
	return node, node.Start()
}

// far is the operating system's network with a delay.
type far struct{ delay delay.Dialer }

func (f far) Dial(ctx context.Context, addr string) (net.Conn, error) {
	c, err := f.delay.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return farConn{c}, nil
}

// farConn says that it is TCP, so that callers write for themselves as over TCP alone: a
// small write waits for nobody here either.
type farConn struct{ net.Conn }

func (c farConn) NetConn() net.Conn { return c.Conn.(interface{ Raw() net.Conn }).Raw() }

func (far) Listen(ctx context.Context, addr string) (net.Listener, error) {
	var c net.ListenConfig
	return c.Listen(ctx, "tcp", addr)
}

func (far) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	var c net.ListenConfig
	return c.ListenPacket(ctx, "udp", addr)
}

// mesh is a member of CacheMesh with a group of []byte.
type mesh struct {
	node  *cachemesh.Node
	group *cachemesh.Group[[]byte]
	size  int // of the mesh
	index int
}

func openMesh(_ context.Context, s Spec, o work.Origin) (System, error) {
	node, err := startNode(s)
	if err != nil {
		return nil, err
	}
	opts := cachemesh.GroupOptions[[]byte]{MaxBytes: meshBudget(s), NoHotCopies: !s.HotCopies}
	group, err := cachemesh.NewGroup(node, groupName, cachemesh.LoaderFunc[[]byte](o.Load), opts)
	if err != nil {
		node.Close()
		return nil, err
	}
	return &mesh{node: node, group: group, size: len(s.Addrs), index: s.Index}, nil
}

// meshBudget is the budget of a group: zero would mean the default.
func meshBudget(s Spec) int64 { return max(s.CacheBytes, 1<<20) }

func (m *mesh) Get(ctx context.Context, it *work.Item) (work.Header, error) {
	b, err := m.group.Get(ctx, it.Key)
	if err != nil {
		return work.Header{}, err
	}
	return it.Check(b)
}

func (m *mesh) GetMany(ctx context.Context, items []*work.Item) error {
	keys := make([]string, len(items))
	for i, it := range items {
		keys[i] = it.Key
	}
	values, err := m.group.GetMany(ctx, keys)
	if err != nil {
		return err
	}
	for _, it := range items {
		if _, err := it.Check(values[it.Key]); err != nil {
			return err
		}
	}
	return nil
}

func (m *mesh) Set(ctx context.Context, it *work.Item, version uint64) error {
	return m.group.Set(ctx, it.Key, it.Value(m.index, version), 0)
}

func (m *mesh) Delete(ctx context.Context, it *work.Item) error {
	return m.group.Delete(ctx, it.Key)
}

func (m *mesh) Ready(context.Context) (bool, error) { return len(m.node.Members()) == m.size, nil }

func (m *mesh) PeerCalls() uint64 { return m.group.Stats().PeerCalls }

func (m *mesh) HotHits() uint64 { return m.group.Stats().HotHits }

func (m *mesh) NearHits() uint64 {
	s := m.group.Stats()
	return s.OwnHits + s.HotHits
}

func (m *mesh) Close() error { return m.node.Close() }

// record is a value with a type of its own.
type record struct {
	Name string
	At   time.Time
	Body []byte
}

// meshStruct is a member of CacheMesh with a group of structs.
type meshStruct struct {
	node  *cachemesh.Node
	group *cachemesh.Group[record]
	size  int
}

func openMeshStruct(_ context.Context, s Spec, o work.Origin) (System, error) {
	node, err := startNode(s)
	if err != nil {
		return nil, err
	}
	load := func(ctx context.Context, key string) (record, error) {
		b, err := o.Load(ctx, key)
		return record{Name: key, At: time.Now(), Body: b}, err
	}
	opts := cachemesh.GroupOptions[record]{MaxBytes: meshBudget(s), NoHotCopies: !s.HotCopies}
	group, err := cachemesh.NewGroup(node, groupName, load, opts)
	if err != nil {
		node.Close()
		return nil, err
	}
	return &meshStruct{node, group, len(s.Addrs)}, nil
}

func (m *meshStruct) Get(ctx context.Context, it *work.Item) (work.Header, error) {
	r, err := m.group.Get(ctx, it.Key)
	if err != nil {
		return work.Header{}, err
	}
	return it.Check(r.Body)
}

func (m *meshStruct) Ready(context.Context) (bool, error) {
	return len(m.node.Members()) == m.size, nil
}

func (m *meshStruct) PeerCalls() uint64 { return m.group.Stats().PeerCalls }

func (m *meshStruct) Close() error { return m.node.Close() }
