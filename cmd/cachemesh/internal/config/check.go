package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/praveenduddu/cachemesh"
)

// Off reports whether an address to listen at says that there is none.
func Off(listen string) bool { return listen == "" || listen == "off" }

// Check says what of a configuration cannot be used. What the library checks itself, such as
// the bounds of its options, is left to it.
func (c *Config) Check() error {
	var all []error
	bad := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if c.Secret != "" && len(c.Secret) < 16 {
		bad("secret: %d bytes are too few, want 16 or more", len(c.Secret))
	}
	c.checkAddresses(bad)
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		bad("tls-cert and tls-key go together")
	}
	if (c.TLS.CA != "" || c.TLS.ServerName != "") && c.TLS.Cert == "" {
		bad("tls-ca and tls-server-name need tls-cert: without it members speak plain TCP")
	}
	if (c.Redis.Cert == "") != (c.Redis.Key == "") {
		bad("redis-cert and redis-key go together")
	}
	if c.Redis.ClientCA != "" && c.Redis.Cert == "" {
		bad("redis-client-ca needs redis-cert")
	}
	if c.Redis.MaxClients < 1 || c.Redis.MaxClients > 1_000_000 {
		bad("redis-max-clients: %d is not from 1 to 1000000", c.Redis.MaxClients)
	}
	if c.Redis.MaxBuffered < 1<<20 {
		bad("redis-max-buffered: %v is less than 1MiB", c.Redis.MaxBuffered)
	}
	if c.Redis.IdleTimeout < 0 || c.Redis.WriteTimeout < 0 || c.ShutdownTimeout <= 0 {
		bad("a timeout is negative, or shutdown-timeout is not positive")
	}
	if !c.Redis.Open && c.Redis.Password == "" && c.Redis.ClientCA == "" && !onlyHere(c.Redis.Listen) {
		bad("redis-listen: %s can be reached from other machines, without a password: set redis-password-file, or redis-open if that is meant", c.Redis.Listen)
	}
	if !c.HTTP.Open && c.HTTP.Token == "" && !onlyHere(c.HTTP.Listen) {
		bad("http-listen: %s can be reached from other machines, without a token: set http-token-file, or http-open if that is meant", c.HTTP.Listen)
	}
	if d := c.HTTP.Dashboard; d != "on" && d != "off" && d != "auto" {
		bad("dashboard: %q is neither on, off nor auto", d)
	}
	if _, err := c.Level(); err != nil {
		bad("log-level: %w", err)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		bad("log-format: %q is neither text nor json", c.Log.Format)
	}
	c.checkGroups(bad)
	return errors.Join(all...)
}

// checkAddresses says which addresses are none: a host, which may be missing where one listens, and a port.
func (c *Config) checkAddresses(bad func(string, ...any)) {
	all := [][2]string{{"listen", c.Listen}, {"advertise", c.Advertise}, {"redis-listen", c.Redis.Listen}, {"http-listen", c.HTTP.Listen}}
	for _, addr := range c.Bootstrap {
		all = append(all, [2]string{"bootstrap", addr})
	}
	for _, one := range all {
		name, addr := one[0], one[1]
		if addr == "" && name != "listen" || Off(addr) && strings.HasSuffix(name, "-listen") {
			continue
		}
		host, port, err := net.SplitHostPort(addr)
		n, wrong := strconv.ParseUint(port, 10, 16)
		switch {
		case err != nil:
			bad("%s: %q is not host:port: %w", name, addr, err)
		case wrong != nil:
			bad("%s: %q: the port is not a number from 0 to 65535", name, addr)
		case !strings.HasSuffix(name, "listen") && (host == "" || name == "bootstrap" && n == 0):
			bad("%s: %q cannot be called: it needs a host and a port", name, addr)
		}
	}
}

func (c *Config) checkGroups(bad func(string, ...any)) {
	names := []string{c.Redis.Group}
	if c.Redis.Group == "" {
		bad("redis-group: a group needs a name")
	}
	c.DefaultGroup().check("the default group", bad)
	if c.OtherGroups.Most < 1 || c.OtherGroups.Most > 10000 {
		bad("other-groups-most: %d is not from 1 to 10000", c.OtherGroups.Most)
	}
	c.OtherGroups.Group("").check("otherGroups", bad)
	if c.Redis.Prefixes && len(c.Groups) > MostPrefixes {
		bad("redis-prefixes: %d groups are more than %d", len(c.Groups), MostPrefixes)
	}
	for i, g := range c.Groups {
		if g.Name == "" {
			bad("groups: the group at %d has no name", i)
		} else if slices.Contains(names, g.Name) {
			bad("groups: %q is there twice (the default group is %q)", g.Name, c.Redis.Group)
		} else if c.Redis.Prefixes && strings.Contains(g.Name, ":") {
			bad("groups: %q has a colon, which with redis-prefixes ends the name", g.Name)
		}
		names = append(names, g.Name)
		g.check(fmt.Sprintf("groups: %q", g.Name), bad)
	}
}

// MostPrefixes is how many groups Redis clients may reach by prefixes of keys.
const MostPrefixes = 255

func (g Group) check(where string, bad func(string, ...any)) {
	switch g.Kind {
	case "", Map:
		if g.NotFoundTTL != 0 || g.StaleFor != 0 {
			bad("%s: notFoundTTL and staleFor are for those of kind %s", where, Cache)
		}
		if g.Replicas < 0 || g.Replicas > cachemesh.MaxReplicas {
			bad("%s: replicas: %d is not from 1 to %d", where, g.Replicas, cachemesh.MaxReplicas)
		}
	case Cache:
		if g.Replicas > 1 {
			bad("%s: replicas are for those of kind %s", where, Map)
		}
		if g.StaleFor > 0 && g.TTL == 0 {
			bad("%s: staleFor needs ttl: without one no value grows stale", where)
		}
	default:
		bad("%s: kind: %q is neither %s nor %s", where, g.Kind, Map, Cache)
	}
	if g.TTL < 0 || g.NotFoundTTL < 0 || g.StaleFor < 0 {
		bad("%s: a time is negative", where)
	}
}

// Level returns the level of the log.
func (c *Config) Level() (level slog.Level, err error) {
	err = level.UnmarshalText([]byte(c.Log.Level))
	return level, err
}

// onlyHere reports whether an address can be reached from this machine alone.
func onlyHere(listen string) bool {
	if Off(listen) {
		return true
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || strings.EqualFold(host, "localhost")
}
