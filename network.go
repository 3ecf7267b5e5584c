package cachemesh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// systemNetwork is the operating system's network.
type systemNetwork struct{}

func (systemNetwork) Listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}

func (systemNetwork) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	var lc net.ListenConfig
	return lc.ListenPacket(ctx, "udp", addr)
}

func (systemNetwork) Dial(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
}

// sockets are what a node has bound: TCP and UDP of one number.
type sockets struct {
	stream  net.Listener // nil with Options.ExternalServer
	packets net.PacketConn
}

// anyPortTries is how often a pair of equal TCP and UDP ports is sought when
// the system picks the number and some other program has its UDP twin.
const anyPortTries = 16

// bind binds the one port. Its errors are *OptionError naming ListenAddr.
func bind(o *Options) (sockets, error) {
	ctx := context.Background()
	if o.ExternalServer {
		packets, err := o.Network.ListenPacket(ctx, o.ListenAddr)
		if err != nil {
			return sockets{}, errs.Option("ListenAddr", o.ListenAddr, err)
		}
		return sockets{packets: packets}, nil
	}
	host, port, _ := net.SplitHostPort(o.ListenAddr)
	var last error
	for range anyPortTries {
		stream, err := o.Network.Listen(ctx, o.ListenAddr)
		if err != nil {
			return sockets{}, errs.Option("ListenAddr", o.ListenAddr, err)
		}
		_, bound, err := net.SplitHostPort(stream.Addr().String())
		if err != nil {
			stream.Close()
			return sockets{}, errs.Option("ListenAddr", o.ListenAddr, err)
		}
		packets, err := o.Network.ListenPacket(ctx, net.JoinHostPort(host, bound))
		if err == nil {
			return sockets{stream: stream, packets: packets}, nil
		}
		stream.Close()
		last = err
		if n, _ := strconv.Atoi(port); n != 0 {
			break
		}
	}
	return sockets{}, errs.Option("ListenAddr", o.ListenAddr, last)
}

func (s sockets) close() {
	if s.stream != nil {
		s.stream.Close()
	}
	s.packets.Close()
}

// copy makes what the options point to this node's own: the caller may go on to
// change it, or wipe it.
func (o *Options) copy() {
	o.BootstrapNodes = slices.Clone(o.BootstrapNodes)
	o.Secret = bytes.Clone(o.Secret)
	o.AcceptSecrets = slices.Clone(o.AcceptSecrets)
	for i, s := range o.AcceptSecrets {
		o.AcceptSecrets[i] = bytes.Clone(s)
	}
	if o.TLS = o.TLS.Clone(); o.TLS != nil {
		o.TLS.Certificates = slices.Clone(o.TLS.Certificates)
		o.TLS.NextProtos = slices.Clone(o.TLS.NextProtos)
		o.TLS.CipherSuites = slices.Clone(o.TLS.CipherSuites)
		o.TLS.CurvePreferences = slices.Clone(o.TLS.CurvePreferences)
	}
}

func checkTLS(o *Options) error {
	c := o.TLS
	if c == nil || o.ExternalServer || len(c.Certificates) > 0 || c.GetCertificate != nil || c.GetConfigForClient != nil {
		return nil
	}
	return errs.Option("TLS", "(no certificate)", errors.New("peers connect to this member too, so it needs Certificates"))
}

func checkSecrets(o *Options) error {
	if o.Secret != nil {
		if err := checkSecret("Secret", o.Secret); err != nil {
			return err
		}
	} else if o.TLS != nil {
		return errs.Option("Secret", "(none)", errors.New("TLS needs it: gossip packets are UDP, where TLS does not reach, "+
			"and one forged packet would add a member"))
	} else if len(o.AcceptSecrets) > 0 {
		return errs.Option("AcceptSecrets", "(set)", errors.New("it needs Secret, which this member itself uses"))
	}
	if n := len(o.AcceptSecrets); n > maxAccepted {
		return errs.Option("AcceptSecrets", fmt.Sprintf("(%d secrets)", n), fmt.Errorf("the limit is %d", maxAccepted))
	}
	for _, s := range o.AcceptSecrets {
		if err := checkSecret("AcceptSecrets", s); err != nil {
			return err
		}
	}
	return nil
}

func checkSecret(option string, secret []byte) error {
	n := len(secret)
	if n >= minSecret {
		return nil
	}
	err := fmt.Errorf("at least %d bytes are needed", minSecret)
	if n == 0 {
		err = fmt.Errorf("it is empty, as an environment variable that is not set would be; %w, and no secret is nil", err)
	}
	return errs.Option(option, fmt.Sprintf("(%d bytes)", n), err)
}

// warnIfOpen says in the log that anyone who reaches the port is a peer, where
// more than this machine does.
func (n *Node) warnIfOpen() {
	if n.opts.Secret != nil || isLoopback(n.addr) && isLoopback(n.sockets.packets.LocalAddr().String()) {
		return
	}
	n.log.Warn("neither Secret nor TLS is set: whoever reaches this address can read and write the cache", "addr", n.addr)
}

// isLoopback reports whether the host of host:port is of this machine alone.
func isLoopback(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
