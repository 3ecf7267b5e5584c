package httppool

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// Defaults and fixed limits.
const (
	DefaultMaxKey        = 4096
	DefaultMaxValue      = 64 << 20
	DefaultMaxConcurrent = 8192
	DefaultMaxConns      = 2048
	DefaultConnsPerPeer  = 2

	MaxSelf  = 512 // bytes of Config.Self, and of Config.Addr
	maxMesh  = 255
	maxGroup = 255
	// Keys must leave room in one frame for an inline value and a message.
	maxMaxKey   = 16 << 10
	maxMaxValue = 1 << 30
	maxMessage  = 4096
)

// Config says how a Pool behaves. Zero fields take the documented defaults.
type Config struct {
	// Self is this member's id, told to peers when a connection opens; at most 512 bytes.
	Self string
	// Addr is the address at which peers reach this member; at most 512 bytes. A peer that
	// has the same one under another Self is refused: two processes were given one address.
	// Empty: not told.
	Addr string
	// Mesh is the name of the mesh, at most 255 bytes: peers of another are refused.
	Mesh string
	// Handler answers calls from peers; nil: peer connections to this member are refused.
	Handler Handler
	// OnStream receives each raw stream that a peer opened, and owns conn from then on.
	// It must hand conn over and return: Pool.Close waits for it. Without a Secret a stream
	// is not handed over before its first byte came. nil: streams are refused.
	OnStream func(conn net.Conn, from string)
	// Dial connects to a peer's address; nil: TCP.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// TLS is the client side of every dial; nil: plain. An empty ServerName is taken
	// from the address. The serving side's TLS belongs to whoever runs the http.Server.
	TLS *tls.Config
	// Secret, when not empty, must be known at both ends of every connection. It is
	// proved, never sent, but whoever connects can test guesses against a proof:
	// use at least 16 random bytes.
	Secret []byte
	// AcceptSecrets may be proved by the members that this one connects to, in place of
	// Secret: so a secret is replaced without a gap. They need Secret.
	AcceptSecrets [][]byte
	// Logger hears of refusals, bad frames and panics, from goroutines that Close waits
	// for: its handler must not block. nil: silent.
	Logger *slog.Logger

	MaxKey   int // bytes; default 4096, at most 16 KiB
	MaxValue int // bytes; default 64 MiB, at most 1 GiB

	// ConnsPerPeer bounds the connections for calls to each peer; default 2. All but the
	// first are opened and used only while answers are large on average, 1 KiB and more, and
	// the second for values above 128 KiB: with 1, small calls wait behind these.
	ConnsPerPeer int
	// MaxConcurrent bounds the calls served on goroutines of their own per connection;
	// default 8192. Calls beyond it are answered StatusOverloaded.
	MaxConcurrent int
	// MaxConns bounds the connections that peers may hold to this member; default 2048.
	// Connections that have not proved to be a peer's are bounded apart from it. Beyond it
	// they are refused, and the caller's error matches ErrFull; but for one from a host that
	// this member calls, an idle one from a host that it does not call is closed.
	MaxConns int

	DialTimeout time.Duration // for a dial with its handshake, and for all that comes before a peer's proof; default 3 s
	IdleTimeout time.Duration // a connection without calls is closed after it; default 5 min
	// SilenceTimeout is how long a connection with unanswered calls may bring nothing,
	// not even an answer to a ping, before it is dropped; default 10 s.
	SilenceTimeout time.Duration
	// Patience is how long a peer that owes an answer, or is dialled, may say nothing, not
	// even answer a ping, before it is silent: idempotent calls that wait for it fail with
	// ErrSilent, and so does every call, before it is sent, until something comes from the
	// peer. 0: no peer is found silent.
	Patience time.Duration
	// BackoffMin and BackoffMax bound the wait between failed dials, which doubles
	// each time and is jittered; defaults 20 ms and 1 s.
	BackoffMin, BackoffMax time.Duration
}

// withDefaults returns c completed, or an error that names the wrong field.
func (c Config) withDefaults() (Config, error) {
	if err := c.checkNames(); err != nil {
		return c, err
	}
	c.copySecrets()
	ints := []struct {
		name       string
		v          *int
		def, limit int
	}{
		{"MaxKey", &c.MaxKey, DefaultMaxKey, maxMaxKey},
		{"MaxValue", &c.MaxValue, DefaultMaxValue, maxMaxValue},
		{"ConnsPerPeer", &c.ConnsPerPeer, DefaultConnsPerPeer, 64},
		{"MaxConcurrent", &c.MaxConcurrent, DefaultMaxConcurrent, 1 << 20},
		{"MaxConns", &c.MaxConns, DefaultMaxConns, 1 << 20},
	}
	for _, f := range ints {
		if *f.v < 0 || *f.v > f.limit {
			return c, fmt.Errorf("httppool: Config.%s is %d, want 0 to %d", f.name, *f.v, f.limit)
		}
		if *f.v == 0 {
			*f.v = f.def
		}
	}
	times := []struct {
		name string
		v    *time.Duration
		def  time.Duration
	}{
		{"DialTimeout", &c.DialTimeout, 3 * time.Second},
		{"IdleTimeout", &c.IdleTimeout, 5 * time.Minute},
		{"SilenceTimeout", &c.SilenceTimeout, 10 * time.Second},
		{"BackoffMin", &c.BackoffMin, 20 * time.Millisecond},
		{"BackoffMax", &c.BackoffMax, time.Second},
	}
	for _, f := range times {
		if *f.v < 0 {
			return c, fmt.Errorf("httppool: Config.%s is %v, want 0 or more", f.name, *f.v)
		}
		if *f.v == 0 {
			*f.v = f.def
		}
	}
	if c.Patience < 0 {
		return c, fmt.Errorf("httppool: Config.Patience is %v, want 0 or more", c.Patience)
	}
	c.BackoffMax = max(c.BackoffMax, c.BackoffMin)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Dial == nil {
		c.Dial = dialTCP
	}
	return c, nil
}

// checkNames returns an error that names the field that is too long or lacks another.
func (c *Config) checkNames() error {
	if len(c.Self) > MaxSelf {
		return fmt.Errorf("httppool: Config.Self: %w", &TooLargeError{"Self", len(c.Self), MaxSelf})
	}
	if len(c.Addr) > MaxSelf {
		return fmt.Errorf("httppool: Config.Addr: %w", &TooLargeError{"Addr", len(c.Addr), MaxSelf})
	}
	if len(c.Mesh) > maxMesh {
		return fmt.Errorf("httppool: Config.Mesh: %w", &TooLargeError{"Mesh", len(c.Mesh), maxMesh})
	}
	if len(c.AcceptSecrets) > 0 && len(c.Secret) == 0 {
		return errors.New("httppool: Config.AcceptSecrets needs Secret, which this member proves")
	}
	return nil
}

// copySecrets makes the secrets and TLS this pool's own, whatever the caller does with theirs.
func (c *Config) copySecrets() {
	c.Secret = bytes.Clone(c.Secret)
	accepted := make([][]byte, len(c.AcceptSecrets))
	for i, s := range c.AcceptSecrets {
		accepted[i] = bytes.Clone(s)
	}
	c.AcceptSecrets = accepted
	c.TLS = c.TLS.Clone()
}

func dialTCP(ctx context.Context, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}

// limits are the sizes that one end accepts; each end tells the other its own.
type limits struct{ key, value int }

// check returns a *TooLargeError for the first field of req over its limit.
func (l limits) check(req *Request) error {
	switch {
	case len(req.Group) > maxGroup:
		return &TooLargeError{"group", len(req.Group), maxGroup}
	case len(req.Key) > l.key:
		return &TooLargeError{"key", len(req.Key), l.key}
	case len(req.Value) > l.value:
		return &TooLargeError{"value", len(req.Value), l.value}
	}
	return nil
}
