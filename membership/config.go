package membership

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"log"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"
)

// Config describes a member. Name, Addr, Packets and DialStream are required.
//
// The default times detect a crash within 3 seconds on a local network; see ProbeInterval.
type Config struct {
	Name string // unique and stable; 1 to 128 bytes of printable text
	Addr string // host:port that peers dial and gossip to; a host name is resolved once, for gossip
	Boot uint64 // identity of this run of the process; 0: random

	// Gossip is where peers gossip to, as GossipAddr found it. Zero: New looks Addr's host up, once.
	Gossip netip.AddrPort

	// Mesh names the mesh, at most 255 bytes of printable text: gossip of another is dropped and counted.
	Mesh string

	// Seeds are host:port of any members. A DNS name stands for all its addresses, ":3000" for this host.
	Seeds []string

	// Packets sends and receives gossip packets, on the UDP port of the same number as Addr's TCP port.
	// New takes ownership, unless it returns a *ConfigError.
	Packets net.PacketConn

	// DialStream opens a gossip stream to the peer port at addr, an ip:port; the peer hands it to its ServeStream.
	// It is called from many goroutines and gives up when ctx is done. Host(ctx) names the host that was looked up.
	// Its errors may wrap ErrRefused or ErrAddrTaken.
	DialStream func(ctx context.Context, addr string) (net.Conn, error)

	Resolver Resolver     // nil: net.DefaultResolver
	Secret   []byte       // non-empty: gossip is encrypted and authenticated with a key derived from it
	Logger   *slog.Logger // called from one goroutine, which Close waits for; nil: silent

	// AcceptSecrets are read as well as Secret, which alone is written with: so a secret is replaced without a gap.
	AcceptSecrets [][]byte

	// OnView is called with every view, from one goroutine and never concurrently, in the order of epochs, the first
	// view included. Views that come while it runs are merged into one. It must not call Join, Leave or Close.
	OnView func(*View)

	// ProbeInterval is the time between two probes of a peer, and ProbeTimeout how long one waits for its answer
	// before it asks others and tries a stream. A peer that nobody reached is suspected for SuspicionMult, times
	// log10 of the number of members if that is more than 1, times ProbeInterval, and twice as long if nobody else
	// confirms; then it is declared dead.
	ProbeInterval time.Duration // default 300ms
	ProbeTimeout  time.Duration // default 150ms; less than ProbeInterval
	SuspicionMult int           // default 4; at least 2

	GossipInterval   time.Duration // between two rounds of gossip; default 100ms
	PushPullInterval time.Duration // between two exchanges of full state with a random peer; default 15s
	StreamTimeout    time.Duration // to open a stream, and to use it; default 3s
	RejoinInterval   time.Duration // between two searches for seeds and lost members, jittered; default 15s
	LeaveLinger      time.Duration // Leave waits this long if it could not tell every peer itself; default 1s
}

// withDefaults fills in what is zero and says which field is wrong.
func (c Config) withDefaults() (Config, error) {
	setDefault(&c.ProbeInterval, 300*time.Millisecond)
	setDefault(&c.ProbeTimeout, 150*time.Millisecond)
	setDefault(&c.SuspicionMult, 4)
	setDefault(&c.GossipInterval, 100*time.Millisecond)
	setDefault(&c.PushPullInterval, 15*time.Second)
	setDefault(&c.StreamTimeout, 3*time.Second)
	setDefault(&c.RejoinInterval, 15*time.Second)
	setDefault(&c.LeaveLinger, time.Second)
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	if c.OnView == nil {
		c.OnView = func(*View) {}
	}
	for c.Boot == 0 {
		c.Boot = randomBoot()
	}
	c.Seeds = slices.Clone(c.Seeds)
	return c, c.check()
}

// Validate returns the *ConfigError that New would return, without what only a resolver could tell.
func (c Config) Validate() error {
	_, err := c.withDefaults()
	return err
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func randomBoot() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

func (c *Config) check() error {
	if err := checkName(c.Name); err != nil {
		return configErrorf("Name", "%v", err)
	}
	host, _, err := splitAddr(c.Addr)
	if err != nil {
		return configErrorf("Addr", "%v", err)
	}
	if host == "" {
		return configErrorf("Addr", "%q has no host that peers could dial", c.Addr)
	}
	if strings.Contains(host, "%") {
		return configErrorf("Addr", "%q has a zone, which peers do not share", c.Addr)
	}
	own, _ := netip.ParseAddr(host)
	if own.IsUnspecified() || own.IsMulticast() {
		return configErrorf("Addr", "%q is not an address that peers could dial", c.Addr)
	}
	if len(c.Mesh) > memberlist.LabelMaxSize || !printable(c.Mesh) {
		return configErrorf("Mesh", "%q is not at most %d bytes of printable text", c.Mesh, memberlist.LabelMaxSize)
	}
	for _, s := range c.Seeds {
		if host, _, err := splitAddr(s); err != nil {
			return configErrorf("Seeds", "%v", err)
		} else if strings.Contains(host, "%") {
			return configErrorf("Seeds", "%q has a zone, which gossip cannot carry", s)
		} else if seed, err := netip.ParseAddr(host); err == nil && own.IsLoopback() && elsewhere(seed) {
			return configErrorf("Addr", "%v", &LoopbackError{Addr: c.Addr, Seed: s})
		}
	}
	switch {
	case len(c.Seeds) > maxSeeds:
		return configErrorf("Seeds", "%d seeds, the limit is %d", len(c.Seeds), maxSeeds)
	case c.Packets == nil:
		return configErrorf("Packets", "is required")
	case c.DialStream == nil:
		return configErrorf("DialStream", "is required")
	case len(c.AcceptSecrets) > 0 && len(c.Secret) == 0:
		return configErrorf("AcceptSecrets", "needs Secret")
	case c.ProbeTimeout >= c.ProbeInterval:
		return configErrorf("ProbeTimeout", "%v is not less than ProbeInterval %v", c.ProbeTimeout, c.ProbeInterval)
	case c.SuspicionMult < 2:
		return configErrorf("SuspicionMult", "%d is less than 2", c.SuspicionMult)
	}
	return c.checkTimes()
}

func (c *Config) checkTimes() error {
	for _, f := range []struct {
		name string
		d    time.Duration
	}{
		{"ProbeInterval", c.ProbeInterval}, {"ProbeTimeout", c.ProbeTimeout}, {"GossipInterval", c.GossipInterval},
		{"PushPullInterval", c.PushPullInterval}, {"StreamTimeout", c.StreamTimeout},
		{"RejoinInterval", c.RejoinInterval}, {"LeaveLinger", c.LeaveLinger},
	} {
		if f.d < time.Millisecond {
			return configErrorf(f.name, "%v is less than a millisecond", f.d)
		}
	}
	return nil
}

// gossipConfig returns memberlist's configuration for c.
func (c *Config) gossipConfig(t *transport, d *delegate, log *log.Logger) (*memberlist.Config, error) {
	g := memberlist.DefaultLANConfig()
	g.Name = c.Name
	g.Transport, g.Logger = t, log
	g.BindAddr, g.BindPort = t.addr.Addr().String(), int(t.addr.Port())
	g.AdvertiseAddr, g.AdvertisePort = g.BindAddr, g.BindPort
	g.Delegate, g.Events, g.Alive, g.Conflict, g.Merge = d, d, d, d, d
	g.ProbeInterval, g.ProbeTimeout = c.ProbeInterval, c.ProbeTimeout
	g.SuspicionMult = c.SuspicionMult
	// The preset's 6 makes a crash among two survivors of a leave last 20 s: nobody is there to confirm it.
	g.SuspicionMaxTimeoutMult = 2
	// A member that reaches few others slows its probes down, by up to this factor. The preset's 8 made the two sides
	// of a partition take up to 5.8 s to see it, 4 took 4.9 s.
	g.AwarenessMaxMultiplier = 4
	// With the preset's 4, one join in a hundred among six members was missed by somebody until the next exchange of
	// state. Messages are sent only when something changes, so more of them cost nothing otherwise.
	g.RetransmitMult = 8
	g.GossipInterval, g.PushPullInterval = c.GossipInterval, c.PushPullInterval
	g.TCPTimeout = c.StreamTimeout
	// Packets are far smaller than the MTU. Compressing each costs 64 KiB of garbage and saves nothing.
	g.EnableCompression = false
	// A name may return from another address as soon as its holder was declared dead.
	g.DeadNodeReclaimTime = time.Nanosecond
	g.Label = c.Mesh
	if len(c.Secret) > 0 {
		keys, err := c.gossipKeys()
		if err != nil {
			return nil, configErrorf("Secret", "%v", err)
		}
		if g.Keyring, err = memberlist.NewKeyring(keys, keys[0]); err != nil {
			return nil, configErrorf("Secret", "%v", err)
		}
	}
	return g, nil
}

// gossipKeys returns the keys of the secrets, that of Secret first.
func (c *Config) gossipKeys() ([][]byte, error) {
	var keys [][]byte
	for _, secret := range append([][]byte{c.Secret}, c.AcceptSecrets...) {
		key, err := hkdf.Key(sha256.New, secret, nil, "cachemesh gossip v1", 32)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
