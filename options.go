package cachemesh

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/praveenduddu/cachemesh/internal/certs"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Limits that hold on every member.
const (
	MaxNameLen  = 128              // bytes of a member's name
	MaxGroupLen = wire.MaxGroupLen // 255 bytes of a group's name
	MaxKeyLen   = wire.MaxKeyLen   // 4096 bytes of a key
	MaxCarried  = reach.MaxCarried // 2048 bytes that Options.InjectContext may return
)

// Options configure a Node. The zero value works on one machine: an address on
// the loopback interface, a port that the system picks, nobody to join.
type Options struct {
	// Name is the member's unique and stable name. A member that restarts under
	// its old name gets back the same part of the keys, but starts empty.
	// Default: the advertised host:port. At most MaxNameLen bytes.
	Name string

	// ListenAddr is the host:port that carries everything: TCP for peer calls
	// and gossip streams, UDP of the same number for gossip packets.
	// ":3000" listens on all interfaces. Default: "127.0.0.1:0", a free port.
	ListenAddr string

	// AdvertiseAddr is the host:port at which peers reach this member.
	// Default: ListenAddr with the port that was bound; if its host is empty or
	// unspecified, the address of this machine from which packets go to
	// BootstrapNodes; without any on other machines, its first private address,
	// else its first other one. Its host may be a DNS name: Start waits for it to
	// be known, within JoinTimeout, and TLS verifies this member against it. Two
	// members of one address refuse each other.
	AdvertiseAddr string

	// Mesh names the mesh. Members of differently named meshes refuse each other,
	// so that an address that passes from one service to another does not join the
	// two. At most MaxNameLen bytes. Default: "", a name like any other.
	Mesh string

	// BootstrapNodes are host:port of any members of the mesh, dead or alive,
	// this one included or not. A DNS name stands for all its addresses; an
	// empty host means this machine. They are tried again for ever, so that a
	// mesh that was cut in two grows together again.
	BootstrapNodes []string

	// JoinTimeout bounds how long Start waits for one of BootstrapNodes to
	// answer. After it the node serves alone, says so in the log, and goes on
	// trying. If those that answered refused it, for its credentials or its Mesh,
	// Start fails with ErrJoin. Default: 5 s.
	JoinTimeout time.Duration

	// RequireJoin makes Start fail with ErrJoin instead of serving alone. It wants
	// another member: BootstrapNodes that are all this one do not do. Without
	// BootstrapNodes there is nobody to join, and it does nothing.
	RequireJoin bool

	// InjectContext and ExtractContext carry chosen values of a caller's context, as a
	// trace or a tenant, to a loader that runs on another member. InjectContext is
	// called with the context of a Get that has to ask the owner of its key, and
	// returns what is to be carried, at most MaxCarried bytes, or nothing.
	// ExtractContext is called on the owner, if anything was, and returns a context
	// with the values, derived from the one that it is given; the bytes are its own.
	// Both are called concurrently, and fast: every Get of another member's key waits
	// for them. If one panics, or returns too much, nothing is carried, and the log
	// says so once a minute. Set both, on all members. Default: a loader on another
	// member has none of its caller's values.
	InjectContext  func(ctx context.Context) []byte
	ExtractContext func(ctx context.Context, carried []byte) context.Context

	// UnknownGroup is called when another member wants a key of a group that is not registered
	// here, or hands values of it over, and may register it: the other is then answered by that
	// group. For groups whose names are not known ahead; all members should make the same of a
	// name. Members that have joined choose these names, so bound how many you make. It is called
	// concurrently, also several times for a name, and the other member waits for it. If it
	// panics the group is not known. Default: none, see NewGroup.
	UnknownGroup func(name string)

	// Logger receives what an operator should know. Its handler is called from one
	// goroutine, in order, and may block, panic or call the node: nothing waits for it
	// but Close, for a second. While it is too slow, lines beyond 256 are dropped, and
	// the next that is not says how many. Default: silent.
	Logger *slog.Logger

	// TLS protects peer calls and gossip streams. It is used for both directions,
	// so it needs Certificates and RootCAs; with ClientAuth it is mutual: see TLSFromFiles. Peers are
	// verified against ServerName if it is set, else against the host of the address
	// that they advertise, or that BootstrapNodes names. It needs Secret, for gossip
	// packets are UDP, where TLS does not reach. Default: plain TCP.
	TLS *tls.Config

	// Secret is known to all members, at least 16 bytes. It encrypts gossip and
	// authenticates peer connections when they open. It does not encrypt peer
	// calls: that is what TLS is for. Default, nil: anyone who reaches the port is
	// a peer.
	Secret []byte

	// AcceptSecrets are accepted as well as Secret, so that it can be replaced in
	// rolling restarts: first add the new one here, then swap the two, then remove
	// the old one. At most 7, each as long as Secret must be. Default: none.
	AcceptSecrets [][]byte

	// MaxStale bounds how old a value may be that is served across a crash, a
	// partition or a change of view. Default: 10 s, from 1 s to 24 h.
	MaxStale time.Duration

	// Right is how long a member may go on serving what it holds, and taking writes,
	// after it last heard from most of the mesh. Writes of a member's keys that
	// crashed wait so long at most; a shorter one costs more questions, four of
	// them to each member in that time. Default: 3 s, or MaxStale if that is less;
	// from 200 ms to MaxStale.
	Right time.Duration

	// ForgetAfter is how long a member must be missing before as many members as
	// there were go on without it, though they are no majority of those: see
	// README, Running it. Default: 15 min. Longer is safer, and waits longer for an
	// operator who does not come.
	ForgetAfter time.Duration

	// MayFound lets this member begin a mesh of its own when it reached none of
	// BootstrapNodes for JoinTimeout, although they may be alive where it cannot
	// see them. Without it, it does so once they refuse connections, or their names
	// have no address; until then its writes return ErrMinority.
	MayFound bool

	// Lease is how long a member may serve its copies of what another owns before it must
	// hear from that again, one word for all of them. A paused or unreachable member can
	// delay a write by four thirds of it. Default: 1 s, from 50 ms to 10 s.
	Lease time.Duration

	// Patience is how long a Get, or whatever else may be asked twice, waits for a member
	// that says nothing at all, not even that it is alive: then it is answered otherwise.
	// A member whose loader takes long is alive, and waited for. Default: 250 ms, from
	// 20 ms to 2 s.
	Patience time.Duration

	// CallTimeout bounds operations that have no context of their own: Node.Get,
	// Node.Set and Node.Delete. It also bounds a write whose context has no
	// deadline. Default: 10 s.
	CallTimeout time.Duration

	// MaxBytes is this member's budget for the default group, which Node.Get,
	// Node.Set and Node.Delete use. Default: 64 MiB, with TotalBytes a 16th of that if it
	// is less.
	MaxBytes int64

	// TotalBytes is this member's budget for all groups together, the default one
	// included. Groups whose MaxBytes is 0 share equally what those with one leave; the
	// parts grow smaller with each group that is registered, and values are evicted for it.
	// NewGroup fails with an *OptionError when there is no room for another. At least
	// 1 MiB. Default: 0, groups have their MaxBytes and no bound together.
	TotalBytes int64

	// MaxValueBytes bounds a value that a peer may send or ask to store. A group keeps
	// less, about a tenth of its MaxBytes in one value: a Set of more is ErrTooLarge, and
	// what is loaded is returned, not kept, counted in Stats.TooLarge and logged, once a
	// minute. Default: 16 MiB, at most 256 MiB.
	MaxValueBytes int

	// ExternalServer says that a server of your own serves Node.Handler under
	// AdvertiseAddr, which is then required. The node binds only the UDP port of
	// ListenAddr, which must have the number that AdvertiseAddr has. Set that server's
	// ReadHeaderTimeout: what comes before the handler is called, TLS handshakes
	// included, is not bounded by this library then, nor counted in Refused["tls"].
	ExternalServer bool

	// Network replaces the operating system's network, for instance with an
	// overlay network or an in-memory one. Default: the operating system's.
	Network Network
}

// A Network opens listeners and connections. Its methods are called
// concurrently. If it has the method LookupNetIP of net.Resolver too, host names
// are looked up by it.
type Network interface {
	Listen(ctx context.Context, addr string) (net.Listener, error)
	ListenPacket(ctx context.Context, addr string) (net.PacketConn, error)
	Dial(ctx context.Context, addr string) (net.Conn, error)
}

const (
	minMaxStale = time.Second
	maxMaxStale = 24 * time.Hour
	minLease    = 50 * time.Millisecond
	minRight    = 200 * time.Millisecond
	maxLease    = 10 * time.Second
	minPatience = 20 * time.Millisecond
	minSecret   = 16
	maxAccepted = 7
	minTotal    = 1 << 20
	maxValueMax = 256 << 20
)

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

var errTypedNil = errors.New("it is a nil pointer in an interface, which would panic when it is used")

// TLSFromFiles returns a configuration for Options.TLS: members show the certificate of cert and key,
// and want of others, in both directions, one that an authority in ca has signed. All are PEM.
// The certificate must allow server and client authentication.
//
// When cert and key are renewed the next handshake is with the new ones: it looks whether the files
// have changed, once a second at most, and goes on with those before until both fit each other.
// Connections that are open stay. ca is read here only: to replace an authority, put both into the file and restart
// the members one by one.
//
// A member is verified against the host that it advertises. Where that is an IP address which the
// certificate does not name, as in a pod, give all certificates one more name, such as
// "cachemesh", and set ServerName of what this returns to it. Errors: *OptionError that names cert,
// key or ca.
func TLSFromFiles(cert, key, ca string) (*tls.Config, error) { return certs.New(cert, key, ca) }
