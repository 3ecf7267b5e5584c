// Package member runs a member of the mesh with what reaches it from outside: Redis clients,
// HTTP clients. It starts and stops them in order.
package member

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/claims"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/httpapi"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/metrics"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/redis"
	"github.com/praveenduddu/cachemesh/dashboard"
)

// A Member is a running member. Its methods are called concurrently.
type Member struct {
	Node      *cachemesh.Node
	RedisAddr net.Addr // nil: none
	HTTPAddr  net.Addr // nil: none

	c         config.Config
	log       *slog.Logger
	groups    *groups.Set
	claims    *claims.Table
	redis     *redis.Server
	http      *httpapi.Server
	dashboard *dashboard.Dashboard // nil: none
	listeners []net.Listener       // for Redis clients
	ready     atomic.Bool
	failed    chan error // what ended a server
}

// Start starts a member. Health is answered from its begin, everything else once it is a
// member. Errors: those of the library, and of listening; nothing is left running then.
func Start(c config.Config, version string, log *slog.Logger) (*Member, error) {
	return StartContext(context.Background(), c, version, log)
}

// StartContext is Start, but gives up when ctx ends before it returns; the error wraps ctx's then.
func StartContext(ctx context.Context, c config.Config, version string, log *slog.Logger) (*Member, error) {
	m := &Member{c: c, log: log, claims: claims.New(), failed: make(chan error, 4)}
	if err := m.start(ctx, version); err != nil {
		m.abandon()
		return nil, err
	}
	return m, nil
}

func (m *Member) start(ctx context.Context, version string) error {
	if err := m.makeNode(); err != nil {
		return err
	}
	if err := m.makeGroups(); err != nil {
		return err
	}
	c := m.c
	redisClients, httpConns := m.clients()
	m.redis = redis.NewServer(redis.Options{
		Node: m.Node, Group: m.groups.Get(c.Redis.Group), Prefixed: m.prefixed(), Use: m.groups.Use, Names: m.groups.Names, Claims: m.claims, Password: c.Redis.Password,
		MaxClients: redisClients, MaxValue: int(c.MaxValueBytes), MaxBuffered: int64(c.Redis.MaxBuffered), IdleTimeout: c.Redis.IdleTimeout,
		WriteTimeout: c.Redis.WriteTimeout, Version: version, Log: m.log,
	})
	if err := m.startHTTP(version, httpConns); err != nil {
		return err
	}
	if err := m.listenRedis(); err != nil {
		return err
	}
	if err := m.Node.StartContext(ctx); err != nil {
		return err
	}
	for _, l := range m.listeners {
		go m.serve("redis", func() error { return m.redis.Serve(l) })
	}
	m.ready.Store(true)
	m.log.Info("this member is ready", "member", m.Node.Name(), "mesh", m.Node.Addr(), "redis", said(m.RedisAddr), "http", said(m.HTTPAddr), "version", version)
	return nil
}

func said(a net.Addr) string {
	if a == nil {
		return "off"
	}
	return a.String()
}

func (m *Member) serve(what string, f func() error) {
	if err := f(); err != nil {
		m.failed <- fmt.Errorf("%s: %w", what, err)
	}
}

// Failed returns where the error comes that ended one of the servers.
func (m *Member) Failed() <-chan error { return m.failed }

// abandon ends what was begun of a member that does not start.
func (m *Member) abandon() {
	for _, l := range m.listeners {
		l.Close()
	}
	m.closeHTTP()
	if m.Node != nil {
		m.Node.Close()
	}
}

func (m *Member) closeHTTP() {
	if m.dashboard != nil {
		m.dashboard.Close()
	}
	if m.http != nil {
		m.http.Close()
	}
}

func (m *Member) makeNode() (err error) {
	c := m.c
	o := cachemesh.Options{
		Name: c.Name, Mesh: c.Mesh, ListenAddr: c.Listen, AdvertiseAddr: c.Advertise, BootstrapNodes: c.Bootstrap,
		JoinTimeout: c.JoinTimeout, RequireJoin: c.RequireJoin, MayFound: c.MayFound,
		TotalBytes: int64(c.TotalBytes), MaxValueBytes: int(c.MaxValueBytes), Logger: m.log,
	}
	if c.Secret != "" {
		o.Secret = []byte(c.Secret)
	}
	if o.AcceptSecrets, err = c.AcceptSecrets(); err != nil {
		return err
	}
	if c.TLS.Cert != "" {
		if o.TLS, err = loadTLS(c.TLS.Cert, c.TLS.Key, c.TLS.CA); err != nil {
			return fmt.Errorf("tls: %w", err)
		}
		o.TLS.RootCAs, o.TLS.ServerName = o.TLS.ClientCAs, c.TLS.ServerName
	}
	// The node has a default group of its own, which nothing here uses.
	const least = 1 << 20
	if c.TotalBytes == 0 {
		o.MaxBytes = least
	}
	if c.OtherGroups.Allow {
		o.UnknownGroup = func(name string) { m.groups.Use(name) } // what it refuses is not known here
	}
	if m.Node, err = cachemesh.New(o); err == nil {
		m.groups = groups.New(m.Node, c.OtherGroups)
	}
	return err
}

func (m *Member) makeGroups() error {
	if !config.Off(m.c.Redis.Listen) || m.c.Redis.Socket != "" {
		m.groups.Told = func(group, key string) { m.redis.Told(group, key) } // not before the node starts
	}
	for _, g := range append([]config.Group{m.c.DefaultGroup()}, m.c.Groups...) {
		if err := m.groups.Make(g); err != nil {
			return fmt.Errorf("group %s: %w", g.Name, err)
		}
	}
	return nil
}

// prefixed returns the groups that Redis clients reach by prefixes of keys.
func (m *Member) prefixed() map[string]*groups.Group {
	if !m.c.Redis.Prefixes {
		return nil
	}
	all := make(map[string]*groups.Group)
	for _, g := range m.c.Groups {
		all[g.Name] = m.groups.Get(g.Name)
	}
	return all
}

func (m *Member) startHTTP(version string, mostConns int) error {
	if config.Off(m.c.HTTP.Listen) {
		return nil
	}
	l, err := net.Listen("tcp", m.c.HTTP.Listen)
	if err != nil {
		return fmt.Errorf("http-listen: %w", err)
	}
	m.HTTPAddr = l.Addr()
	o := httpapi.Options{
		Node: m.Node, Groups: m.groups, Claims: m.claims, Token: m.c.HTTP.Token, MaxValue: int(m.c.MaxValueBytes), MaxConns: mostConns, Ready: m.ready.Load, Version: version, Log: m.log,
		Metrics: metrics.Handler(m.Node, version, func() metrics.Redis { return metrics.Redis(m.redis.Stats()) }, m.log),
	}
	if m.c.HTTP.ShowsDashboard() {
		m.dashboard = dashboard.Handler(m.Node)
		o.Dashboard = m.dashboard
	}
	m.http = httpapi.NewServer(o)
	go m.serve("http", func() error { return m.http.Serve(l) })
	return nil
}

// Shutdown stops the member in order: it is not ready any more, takes leave of its clients,
// hands its values over, and leaves the mesh. If ctx ends first it stops at once. A
// *cachemesh.LostError says what nobody took.
func (m *Member) Shutdown(ctx context.Context) error {
	m.ready.Store(false)
	m.log.Info("this member leaves")
	// Clients may take a quarter of the time, so that values can be handed over.
	grace, cancel := ctx, context.CancelFunc(func() {})
	if until, ok := ctx.Deadline(); ok {
		grace, cancel = context.WithDeadline(ctx, time.Now().Add(time.Until(until)/4))
	}
	defer cancel()
	if err := m.redis.Shutdown(grace); err != nil {
		m.log.Warn("commands of Redis clients were called off", "err", err)
	}
	if m.dashboard != nil {
		m.dashboard.Close() // or browsers that look would be waited for
	}
	if m.http != nil {
		if err := m.http.Shutdown(grace); err != nil {
			m.log.Warn("requests of HTTP clients were called off", "err", err)
		}
	}
	err := m.Node.Shutdown(ctx)
	if errors.Is(err, cachemesh.ErrClosed) {
		err = nil
	}
	return err
}

// Close stops the member at once.
func (m *Member) Close() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	m.Node.Close()
	m.redis.Shutdown(ended)
	m.closeHTTP()
}
