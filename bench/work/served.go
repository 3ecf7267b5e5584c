package work

import (
	"context"
	"io"
	"net"
	"net/rpc"
	"sync/atomic"
)

// ServedDriver is the driver of an origin that another process serves.
const ServedDriver = "served"

// served is the client of an origin in another process. Its calls share a few
// connections.
type served struct {
	clients []*rpc.Client
	next    atomic.Uint64
	from    int
	loads   atomic.Uint64
}

// A Row is what the origin knows of an item.
type Row struct {
	Version uint64
	Body    []byte
}

func openServed(s OriginSpec, from int) (*served, error) {
	o := &served{from: from}
	for range originConns {
		c, err := s.Network.DialContext(context.Background(), "tcp", s.DSN)
		if err != nil {
			o.Close()
			return nil, err
		}
		o.clients = append(o.clients, rpc.NewClient(c))
	}
	return o, nil
}

func (o *served) client() *rpc.Client { return o.clients[o.next.Add(1)%originConns] }

func (o *served) Load(_ context.Context, key string) ([]byte, error) {
	o.loads.Add(1)
	it, err := ParseKey(key)
	if err != nil {
		return nil, err
	}
	var row Row
	if err := o.client().Call("Table.Read", key, &row); err != nil {
		return nil, err
	}
	return it.Value(o.from, row.Version), nil
}

func (o *served) Write(_ context.Context, it *Item) (version uint64, err error) {
	err = o.client().Call("Table.Write", it.Key, &version)
	return version, err
}

func (o *served) Loads() uint64 { return o.loads.Load() }

func (o *served) Close() error {
	for _, c := range o.clients {
		c.Close()
	}
	return nil
}

// A Table is the serving end. Its exported methods are called by net/rpc.
type Table struct {
	rows, changes *sqlOrigin // two, so that one write at a time waits, and no read
}

// Read reads a row.
func (t *Table) Read(key string, row *Row) (err error) {
	row.Version, row.Body, err = t.rows.row(context.Background(), key)
	return err
}

// Write increments a row's version.
func (t *Table) Write(key string, version *uint64) (err error) {
	*version, err = t.changes.increment(context.Background(), key)
	return err
}

// ServeOrigin serves an SQLite database on a free port of the loopback
// interface until the closer is closed.
func ServeOrigin(s OriginSpec) (io.Closer, string, error) {
	rows, err := openSQL(s, 0)
	if err != nil {
		return nil, "", err
	}
	changes, err := openSQL(s, 0)
	if err != nil {
		return nil, "", err
	}
	changes.db.SetMaxOpenConns(1)
	server := rpc.NewServer()
	if err := server.Register(&Table{rows, changes}); err != nil {
		return nil, "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	go server.Accept(listener) // ends when the listener closes
	return listener, listener.Addr().String(), nil
}
