package cachemesh_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

func TestOptionsThatCannotBe(t *testing.T) {
	for _, test := range []struct {
		option string
		o      cachemesh.Options
	}{
		{"Name", cachemesh.Options{Name: strings.Repeat("n", cachemesh.MaxNameLen+1)}},
		{"Name", cachemesh.Options{Name: "a#b"}},
		{"Name", cachemesh.Options{Name: "a\nb"}},
		{"Name", cachemesh.Options{Name: "a\u200bb"}}, // not printable
		{"Name", cachemesh.Options{Name: "a\xffb"}},
		{"ListenAddr", cachemesh.Options{ListenAddr: "localhost"}},
		{"ListenAddr", cachemesh.Options{ListenAddr: "127.0.0.1:http"}},
		{"ListenAddr", cachemesh.Options{ListenAddr: "127.0.0.1:70000"}},
		{"ListenAddr", cachemesh.Options{ListenAddr: "127.0.0.1:-1"}},
		{"ListenAddr", cachemesh.Options{ListenAddr: "192.0.2.1:0"}}, // not an address of this machine
		{"ListenAddr", cachemesh.Options{ExternalServer: true, AdvertiseAddr: "127.0.0.1:3000"}},
		{"AdvertiseAddr", cachemesh.Options{AdvertiseAddr: "10.0.0.1"}},
		{"AdvertiseAddr", cachemesh.Options{AdvertiseAddr: ":3000"}},
		{"AdvertiseAddr", cachemesh.Options{ExternalServer: true}},
		{"AdvertiseAddr", cachemesh.Options{AdvertiseAddr: "0.0.0.0:3000"}},
		{"AdvertiseAddr", cachemesh.Options{AdvertiseAddr: "[fe80::1%eth0]:3000"}},
		{"AdvertiseAddr", cachemesh.Options{Name: "a", AdvertiseAddr: strings.Repeat("h", 300) + ":3000"}},
		{"AdvertiseAddr", cachemesh.Options{AdvertiseAddr: "a\tb:3000"}},
		{"AdvertiseAddr", cachemesh.Options{BootstrapNodes: []string{"192.0.2.1:3000"}}}, // listens on loopback
		{"BootstrapNodes", cachemesh.Options{BootstrapNodes: []string{"10.0.0.1:3000", "10.0.0.2"}}},
		{"BootstrapNodes", cachemesh.Options{BootstrapNodes: []string{"10.0.0.1:0"}}},
		{"BootstrapNodes", cachemesh.Options{BootstrapNodes: []string{""}}},
		{"BootstrapNodes", cachemesh.Options{BootstrapNodes: []string{"[fe80::1%eth0]:3000"}}},
		{"BootstrapNodes", cachemesh.Options{BootstrapNodes: slices.Repeat([]string{"127.0.0.1:3000"}, 257)}},
		{"JoinTimeout", cachemesh.Options{JoinTimeout: -1}},
		{"MaxStale", cachemesh.Options{MaxStale: time.Millisecond}},
		{"MaxStale", cachemesh.Options{MaxStale: 1<<63 - 1}},
		{"MaxStale", cachemesh.Options{MaxStale: -1}},
		{"Lease", cachemesh.Options{Lease: time.Millisecond}},
		{"Lease", cachemesh.Options{Lease: time.Minute}},
		{"Patience", cachemesh.Options{Patience: time.Millisecond}},
		{"Patience", cachemesh.Options{Patience: 3 * time.Second}},
		{"Patience", cachemesh.Options{Patience: -1}},
		{"Lease", cachemesh.Options{Lease: 3 * time.Second, MaxStale: 2 * time.Second}},
		{"CallTimeout", cachemesh.Options{CallTimeout: -1}},
		{"InjectContext", cachemesh.Options{InjectContext: func(context.Context) []byte { return nil }}},
		{"Secret", cachemesh.Options{Secret: []byte("short")}},
		{"Secret", cachemesh.Options{Secret: []byte{}}}, // an environment variable that is not set
		{"Secret", cachemesh.Options{TLS: newAuthority(t).mutual(t)}},
		{"AcceptSecrets", cachemesh.Options{AcceptSecrets: [][]byte{secretA}}},
		{"AcceptSecrets", cachemesh.Options{Secret: secretA, AcceptSecrets: [][]byte{nil}}},
		{"AcceptSecrets", cachemesh.Options{Secret: secretA, AcceptSecrets: [][]byte{secretB, []byte("short")}}},
		{"AcceptSecrets", cachemesh.Options{Secret: secretA, AcceptSecrets: slices.Repeat([][]byte{secretB}, 8)}},
		{"Mesh", cachemesh.Options{Mesh: strings.Repeat("m", cachemesh.MaxNameLen+1)}},
		{"Mesh", cachemesh.Options{Mesh: "a\x00b"}},
		{"MaxBytes", cachemesh.Options{MaxBytes: -1}},
		{"MaxBytes", cachemesh.Options{MaxBytes: 1}},
		{"TotalBytes", cachemesh.Options{TotalBytes: -1}},
		{"TotalBytes", cachemesh.Options{TotalBytes: 1<<20 - 1}},
		{"MaxBytes", cachemesh.Options{TotalBytes: 1 << 20, MaxBytes: 2 << 20}},
		{"MaxValueBytes", cachemesh.Options{MaxValueBytes: -1}},
		{"MaxValueBytes", cachemesh.Options{MaxValueBytes: 1 << 30}},
		{"TLS", cachemesh.Options{TLS: &tls.Config{}}},
		{"Network", cachemesh.Options{Network: (*tapped)(nil)}},
	} {
		n, err := cachemesh.New(test.o)
		oe, ok := errors.AsType[*cachemesh.OptionError](err)
		if !ok || oe.Option != test.option || n != nil {
			t.Errorf("%+v: node %v, error %v, want an OptionError of %s", test.o, n, err, test.option)
			continue
		}
		if !strings.Contains(err.Error(), test.option) || strings.Contains(err.Error(), "short") {
			t.Errorf("the text must name %s and no secret: %v", test.option, err)
		}
	}
}

// TestNewLeavesNothingBehind: what New bound before it failed is free again.
func TestNewLeavesNothingBehind(t *testing.T) {
	addr := freeAddr(t)
	if _, err := cachemesh.New(cachemesh.Options{ListenAddr: addr, MaxBytes: 1}); err == nil {
		t.Fatal("MaxBytes 1 was accepted")
	}
	n, err := cachemesh.New(cachemesh.Options{ListenAddr: addr})
	must(t, err)
	defer n.Close()
	_, err = cachemesh.New(cachemesh.Options{ListenAddr: addr})
	if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "ListenAddr" || !strings.Contains(err.Error(), addr) {
		t.Errorf("a port in use: %v, want an OptionError of ListenAddr naming %s", err, addr)
	}
	must(t, n.Close())
	again, err := cachemesh.New(cachemesh.Options{ListenAddr: addr})
	must(t, err)
	again.Close()
}

// TestUDPPortInUse: some other program has the UDP port only.
func TestUDPPortInUse(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	addr := taken.LocalAddr().String()
	_, err = cachemesh.New(cachemesh.Options{ListenAddr: addr})
	if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "ListenAddr" {
		t.Errorf("%v, want an OptionError of ListenAddr", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("the TCP port was not given back: %v", err)
	}
	l.Close()
}

// freeAddr returns an address whose TCP and UDP ports were free a moment ago.
func freeAddr(t *testing.T) string {
	n, err := cachemesh.New(cachemesh.Options{})
	must(t, err)
	defer n.Close()
	return n.Addr()
}

type panicCodec struct{}

func (*panicCodec) Marshal(string) ([]byte, error)   { panic("called") }
func (*panicCodec) Unmarshal([]byte) (string, error) { panic("called") }

type typedNilError struct{}

func (*typedNilError) Error() string { panic("called") }

func TestGroupOptionsThatCannotBe(t *testing.T) {
	n, err := cachemesh.New(cachemesh.Options{})
	must(t, err)
	defer n.Close()
	type options = cachemesh.GroupOptions[string]
	for _, test := range []struct {
		option, name string
		o            options
	}{
		{"name", "", options{}},
		{"name", strings.Repeat("g", cachemesh.MaxGroupLen+1), options{}},
		{"MaxBytes", "g", options{MaxBytes: -1}},
		{"MaxBytes", "g", options{MaxBytes: 1}},
		{"TTL", "g", options{TTL: -1}},
		{"LoadTimeout", "g", options{LoadTimeout: -1}},
		{"HotReads", "g", options{HotReads: -1}},
		{"HotReads", "g", options{HotReads: 1 << 30}},
		{"Codec", "g", options{Codec: (*panicCodec)(nil)}},
		{"Errors", "g", options{Errors: []error{errSentinel, nil}}},
		{"Errors", "g", options{Errors: []error{(*typedNilError)(nil)}}},
		{"Errors", "g", options{Errors: make([]error, 65)}},
		{"BatchWindow", "g", options{BatchWindow: time.Second}},
		{"NotFoundTTL", "g", options{NotFoundTTL: -1}},
		{"RefreshAfter", "g", options{RefreshAfter: -1}},
		{"RefreshAfter", "g", options{RefreshAfter: 2, TTL: 1}},
		{"StaleFor", "g", options{StaleFor: -1}},
		{"StaleWait", "g", options{StaleWait: -1}},
		{"StaleWait", "g", options{StaleWait: 1}},
		{"FailureTTL", "g", options{FailureTTL: -1}},
		{"RefreshPart", "g", options{RefreshPart: 1}},
		{"RefreshPart", "g", options{RefreshPart: -0.1}},
		{"RefreshPart", "g", options{RefreshPart: 0.5, RefreshAfter: 1}},
		{"TTLJitter", "g", options{TTLJitter: 2}},
		{"MaxLoads", "g", options{MaxLoads: -1}},
		{"MaxQueued", "g", options{MaxQueued: -1}},
	} {
		g, err := cachemesh.NewGroup(n, test.name, echoLoader, test.o)
		if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != test.option || g != nil {
			t.Errorf("%+v: group %v, error %v, want an OptionError of %s", test.o, g, err, test.option)
		}
	}
	// Nothing of these attempts is in the way of a good one.
	_, err = cachemesh.NewGroup(n, "g", echoLoader, options{})
	must(t, err)
	_, err = cachemesh.NewGroup[int](n, "g", nil, cachemesh.GroupOptions[int]{})
	if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "name" {
		t.Errorf("a name that is taken: %v, want an OptionError of name", err)
	}
	if _, err := cachemesh.NewGroup[int](nil, "g", nil, cachemesh.GroupOptions[int]{}); err == nil {
		t.Error("a nil node was accepted")
	}
	must(t, n.Close())
	if _, err := cachemesh.NewGroup(n, "h", echoLoader, options{}); !errors.Is(err, cachemesh.ErrClosed) {
		t.Errorf("on a closed node: %v, want ErrClosed", err)
	}
}

func TestDefaults(t *testing.T) {
	n, err := cachemesh.New(cachemesh.Options{})
	must(t, err)
	defer n.Close()
	host, port, err := net.SplitHostPort(n.Addr())
	if err != nil || host != "127.0.0.1" || port == "0" || n.Name() != n.Addr() || len(n.Members()) != 0 {
		t.Errorf("address %s, name %s, members %v", n.Addr(), n.Name(), n.Members())
	}
	all, err := cachemesh.New(cachemesh.Options{ListenAddr: ":0"})
	must(t, err)
	defer all.Close()
	host, _, _ = net.SplitHostPort(all.Addr())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		t.Errorf("listening on all interfaces it advertises %s", all.Addr())
	}
	if s := fmt.Sprint(n); !strings.Contains(s, n.Addr()) {
		t.Errorf("String = %q", s)
	}
}
