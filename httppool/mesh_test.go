package httppool

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
)

// TestMeshNames: members of differently named meshes refuse each other, whichever has a name,
// on connections for calls and on streams, with and without a secret.
func TestMeshNames(t *testing.T) {
	for _, secret := range []string{"", "0123456789abcdef"} {
		for _, pair := range [][2]string{{"a", "b"}, {"", "b"}, {"a", ""}, {"a", "a"}} {
			t.Run(strings.Join(pair[:], "-")+" "+secret, func(t *testing.T) {
				var log logLines
				server, addr := serverPool(t, Config{Handler: echoFast, Secret: []byte(secret), Mesh: pair[0],
					Logger: log.logger(), OnStream: func(c net.Conn, _ string) { c.Close() }})
				client := newPool(t, Config{Secret: []byte(secret), Mesh: pair[1]})
				if pair[0] == pair[1] {
					checkEcho(t, client.Peer(addr), "", Request{Key: "k"})
					return
				}
				err := client.Peer(addr).Call(within(t), new(Request), new(Response))
				wantCallError(t, err, ErrRefused, false)
				_, streamErr := client.DialStream(within(t), addr)
				for _, err := range []error{err, streamErr} {
					if !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "another mesh") || !strings.Contains(err.Error(), "Options.Mesh") {
						t.Errorf("got %v, want ErrMismatch naming Options.Mesh", err)
					}
				}
				if n := server.Stats().Refused[refusedMesh]; n != 2 {
					t.Errorf("%d refusals counted, want 2", n)
				}
				if n := strings.Count(log.String(), "belongs to the mesh"); n != 1 {
					t.Errorf("logged %d times, want once: %s", n, log.String())
				}
			})
		}
	}
}

// TestMeshNameOfTheServer: a server that does not look at the name is refused by the client.
func TestMeshNameOfTheServer(t *testing.T) {
	client, hello := newPool(t, Config{Mesh: "a"}), newPool(t, Config{}).hello()
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		defer far.Close()
		far.Read(make([]byte, 4096))
		far.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n" + hello.header() + "\r\n"))
	}()
	if _, err := client.greet(near, "peer:1", pathPeer, nil); !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "Options.Mesh") {
		t.Errorf("got %v, want ErrMismatch", err)
	}
}

// TestOneAddressForTwo: a peer that has this member's own address is another process that
// was given it; this member itself, by whatever way it is reached, is not.
func TestOneAddressForTwo(t *testing.T) {
	const both = "172.17.0.1:3000"
	server, addr := serverPool(t, Config{Handler: echoFast, Self: "a#1", Addr: both})
	err := newPool(t, Config{Self: "a#2", Addr: both}).Peer(addr).Call(within(t), new(Request), new(Response))
	wantCallError(t, err, ErrRefused, false)
	if !errors.Is(err, ErrAddrTaken) || !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "AdvertiseAddr") {
		t.Errorf("got %v, want ErrAddrTaken naming AdvertiseAddr", err)
	}
	if n := server.Stats().Refused[refusedAddr]; n != 1 {
		t.Errorf("%d refusals counted, want 1", n)
	}
	for _, cfg := range []Config{{Self: "a#1", Addr: both}, {Self: "a#2", Addr: "172.17.0.2:3000"}, {Self: "b"}} {
		checkEcho(t, newPool(t, cfg).Peer(addr), cfg.Self, Request{Key: "k"})
	}
}

// TestTwoProcessesInTurn: a member that two processes of one address connect to finds out when
// the first comes again after the second. A restart looks different: the first never comes again.
func TestTwoProcessesInTurn(t *testing.T) {
	const both = "172.17.0.1:3000"
	var log logLines
	_, addr := serverPool(t, Config{Handler: echoFast, Self: "c", Logger: log.logger()})
	come := func(id, at string) error { // whoever is answered has been noted
		return newPool(t, Config{Self: id, Addr: at}).Peer(addr).Call(within(t), new(Request), new(Response))
	}
	for _, step := range []struct {
		id, at string
		taken  bool
	}{
		{"a#1", both, false}, {"a#1", both, false},
		{"a#2", both, false}, {"a#2", both, false}, // a restart
		{"b#1", "172.17.0.2:3000", false}, {"x", "", false}, {"y", "", false}, {"x", "", false},
		{"a#1", both, true},
		{"a#2", both, false},
	} {
		if err := come(step.id, step.at); errors.Is(err, ErrAddrTaken) != step.taken || (err == nil) == step.taken {
			t.Errorf("%s at %q: %v, want ErrAddrTaken %t", step.id, step.at, err, step.taken)
		}
	}
	if n := strings.Count(log.String(), "AdvertiseAddr"); n != 1 || !strings.Contains(log.String(), both) {
		t.Errorf("logged %d times, want once: %s", n, log.String())
	}
}

// TestTenantsAreBounded, whatever peers claim.
func TestTenantsAreBounded(t *testing.T) {
	var n tenants
	for i := range 3 * maxTenants {
		n.moveIn(fmt.Sprint(i), "a")
		n.moveIn("one", fmt.Sprint(i))
	}
	if len(n.at) > maxTenants || len(n.at["one"]) > maxFormer {
		t.Errorf("%d addresses, %d ids", len(n.at), len(n.at["one"]))
	}
}

// TestSecretsAreReplaced walks both ends through the three steps of a rotation: at each, and
// across each, they know each other.
func TestSecretsAreReplaced(t *testing.T) {
	old, next := []byte("the old secret .."), []byte("the next secret .")
	steps := []Config{
		{Secret: old},
		{Secret: old, AcceptSecrets: [][]byte{next}},
		{Secret: next, AcceptSecrets: [][]byte{old}},
		{Secret: next},
	}
	for i, a := range steps {
		for j, b := range steps {
			a.Handler = echoFast
			_, addr := serverPool(t, a)
			err := newPool(t, b).Peer(addr).Call(within(t), &Request{Key: "k"}, new(Response))
			if near := i-j <= 1 && j-i <= 1; near && err != nil || i == 0 && j == 3 && err == nil {
				t.Errorf("steps %d and %d: %v", i, j, err)
			} else if err != nil && !errors.Is(err, ErrMismatch) {
				t.Errorf("steps %d and %d: %v, want ErrMismatch", i, j, err)
			}
		}
	}
	if _, err := New(Config{AcceptSecrets: [][]byte{old}}); err == nil {
		t.Error("AcceptSecrets without Secret was accepted")
	}
}

// TestSecretsAreCopied: what the caller does with its slice later changes nothing.
func TestSecretsAreCopied(t *testing.T) {
	secret, other := []byte("0123456789abcdef"), []byte("fedcba9876543210")
	_, addr := serverPool(t, Config{Handler: echoFast, Secret: secret, AcceptSecrets: [][]byte{other}})
	clear(secret)
	clear(other)
	wantCallError(t, newPool(t, Config{Secret: make([]byte, 16)}).Peer(addr).Call(within(t), new(Request), new(Response)), ErrRefused, false)
	checkEcho(t, newPool(t, Config{Secret: []byte("0123456789abcdef")}).Peer(addr), "", Request{Key: "k"})
}

// TestMismatch tells those that do not fit from those that are busy or not there.
func TestMismatch(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	secure := func(t *testing.T) string {
		server := newPool(t, Config{Handler: echoFast})
		ln, addr := listen(t)
		serveOn(t, server, tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{ours.issue(t)}}))
		return addr
	}
	plain := func(t *testing.T) string { _, addr := serverPool(t, Config{Handler: echoFast}); return addr }
	full := func(t *testing.T) string {
		server, addr := serverPool(t, Config{Handler: echoFast})
		server.draining.Store(true)
		return addr
	}
	nobody := func(t *testing.T) string { ln, addr := listen(t); ln.Close(); return addr }
	for _, test := range []struct {
		name   string
		server func(*testing.T) string
		client *tls.Config
		want   bool
	}{
		{"another authority", secure, &tls.Config{RootCAs: theirs.pool()}, true},
		{"plain to TLS", secure, nil, true},
		{"TLS to plain", plain, &tls.Config{RootCAs: ours.pool()}, true},
		{"shutting down", full, nil, false},
		{"nobody there", nobody, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := newPool(t, Config{TLS: test.client}).DialStream(within(t), test.server(t))
			if err == nil || errors.Is(err, ErrMismatch) != test.want {
				t.Errorf("%v: ErrMismatch is %t, want %t", err, !test.want, test.want)
			}
		})
	}
}

// TestServerNames: TLS verifies against the name that an address was found by, unless the
// configuration sets one.
func TestServerNames(t *testing.T) {
	ours := newAuthority(t)
	server := newPool(t, Config{OnStream: func(c net.Conn, _ string) { c.Close() }})
	ln, addr := listen(t)
	names := make(chan string, 8)
	serveOn(t, server, tls.NewListener(ln, &tls.Config{
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			names <- h.ServerName
			cert := ours.issue(t)
			return &cert, nil
		},
	}))
	for _, test := range []struct{ configured, host, want string }{
		{"", "one.local", "one.local"}, {"mesh.local", "one.local", "mesh.local"}, {"", "", ""}, // an IP address is not sent
	} {
		client := newPool(t, Config{TLS: &tls.Config{ServerName: test.configured, InsecureSkipVerify: true}})
		conn, err := client.DialStreamAs(within(t), addr, test.host)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if got := <-names; got != test.want {
			t.Errorf("%+v: the server was asked for %q", test, got)
		}
	}
}
