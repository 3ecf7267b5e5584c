package cachemesh_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
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
		{"Secret", cachemesh.Options{TLS: kit.NewAuthority(t).Mutual(t)}},
		{"AcceptSecrets", cachemesh.Options{AcceptSecrets: [][]byte{kit.SecretA}}},
		{"AcceptSecrets", cachemesh.Options{Secret: kit.SecretA, AcceptSecrets: [][]byte{nil}}},
		{"AcceptSecrets", cachemesh.Options{Secret: kit.SecretA, AcceptSecrets: [][]byte{kit.SecretB, []byte("short")}}},
		{"AcceptSecrets", cachemesh.Options{Secret: kit.SecretA, AcceptSecrets: slices.Repeat([][]byte{kit.SecretB}, 8)}},
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
		{"Network", cachemesh.Options{Network: (*kit.Tapped)(nil)}},
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
	kit.Must(t, err)
	defer n.Close()
	_, err = cachemesh.New(cachemesh.Options{ListenAddr: addr})
	if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "ListenAddr" || !strings.Contains(err.Error(), addr) {
		t.Errorf("a port in use: %v, want an OptionError of ListenAddr naming %s", err, addr)
	}
	kit.Must(t, n.Close())
	again, err := cachemesh.New(cachemesh.Options{ListenAddr: addr})
	kit.Must(t, err)
	again.Close()
}

// TestUDPPortInUse: some other program has the UDP port only.
func TestUDPPortInUse(t *testing.T) {
	taken, addr := udpAlone()
	defer taken.Close()
	_, err := cachemesh.New(cachemesh.Options{ListenAddr: addr})
	if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "ListenAddr" {
		t.Errorf("%v, want an OptionError of ListenAddr", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("the TCP port was not given back: %v", err)
	}
	l.Close()
}

// udpAlone listens at a UDP port whose TCP port no outgoing connection of another process is given meanwhile.
func udpAlone() (taken net.PacketConn, addr string) {
	for err := errors.New(""); err != nil; {
		addr = fmt.Sprint("127.0.0.1:", 12000+rand.IntN(15000))
		taken, err = net.ListenPacket("udp", addr)
	}
	return taken, addr
}

// freeAddr returns an address whose TCP and UDP ports were free a moment ago.
func freeAddr(t *testing.T) string {
	n, err := cachemesh.New(cachemesh.Options{})
	kit.Must(t, err)
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
	kit.Must(t, err)
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
		{"CopyBytes", "g", options{CopyBytes: -1}},
		{"CopyBytes", "g", options{CopyBytes: 1000}},
		{"CopyBytes", "g", options{CopyBytes: 33 << 20}},
		{"CopyBytes", "g", options{CopyBytes: 1 << 20, NoHotCopies: true}},
		{"Codec", "g", options{Codec: (*panicCodec)(nil)}},
		{"Errors", "g", options{Errors: []error{kit.ErrOrigin, nil}}},
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
		{"TTLJitter", "g", options{TTLJitter: 0.1}}, // there is nothing to be shortened
		{"RefreshPart", "g", options{RefreshPart: 0.5}},
		{"StaleFor", "g", options{StaleFor: time.Hour}},
		{"OnStale", "g", options{TTL: 1, OnStale: func(context.Context, string, *cachemesh.StaleError) {}}},
		{"BatchWindow", "g", options{BatchWindow: time.Minute, LoadMany: func(context.Context, []string) (map[string]string, error) { return nil, nil }}},
		{"MaxLoads", "g", options{MaxLoads: -1}},
		{"MaxQueued", "g", options{MaxQueued: -1}},
	} {
		g, err := cachemesh.NewGroup(n, test.name, kit.Echo, test.o)
		if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != test.option || g != nil {
			t.Errorf("%+v: group %v, error %v, want an OptionError of %s", test.o, g, err, test.option)
		}
	}
	// Nothing of these attempts is in the way of a good one.
	_, err = cachemesh.NewGroup(n, "g", kit.Echo, options{})
	kit.Must(t, err)
	// Nor is a loader that gives the TTLs, by KeepFor, or a value without a TTL that is refreshed.
	for name, o := range map[string]options{"keeps": {TTL: cachemesh.Forever, TTLJitter: 0.1, StaleFor: 1}, "renews": {RefreshAfter: 1}} {
		_, err = cachemesh.NewGroup(n, name, kit.Echo, o)
		kit.Must(t, err)
	}
	_, err = cachemesh.NewGroup[int](n, "g", nil, cachemesh.GroupOptions[int]{})
	if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "name" {
		t.Errorf("a name that is taken: %v, want an OptionError of name", err)
	}
	if _, err := cachemesh.NewGroup[int](nil, "g", nil, cachemesh.GroupOptions[int]{}); err == nil {
		t.Error("a nil node was accepted")
	}
	kit.Must(t, n.Close())
	if _, err := cachemesh.NewGroup(n, "h", kit.Echo, options{}); !errors.Is(err, cachemesh.ErrClosed) {
		t.Errorf("on a closed node: %v, want ErrClosed", err)
	}
}

func TestDefaults(t *testing.T) {
	n, err := cachemesh.New(cachemesh.Options{})
	kit.Must(t, err)
	defer n.Close()
	host, port, err := net.SplitHostPort(n.Addr())
	if err != nil || host != "127.0.0.1" || port == "0" || n.Name() != n.Addr() || len(n.Members()) != 0 {
		t.Errorf("address %s, name %s, members %v", n.Addr(), n.Name(), n.Members())
	}
	all, err := cachemesh.New(cachemesh.Options{ListenAddr: ":0"})
	kit.Must(t, err)
	defer all.Close()
	host, _, _ = net.SplitHostPort(all.Addr())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		t.Errorf("listening on all interfaces it advertises %s", all.Addr())
	}
	if s := fmt.Sprint(n); !strings.Contains(s, n.Addr()) {
		t.Errorf("String = %q", s)
	}
}

// Replicas that make no sense are refused by name.
func TestReplicasOption(t *testing.T) {
	n, err := cachemesh.New(cachemesh.Options{ListenAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	load := func(context.Context, string) (int, error) { return 1, nil }
	for name, c := range map[string]struct {
		load cachemesh.LoaderFunc[int]
		opts cachemesh.GroupOptions[int]
	}{
		"negative":      {nil, cachemesh.GroupOptions[int]{Replicas: -1}},
		"too many":      {nil, cachemesh.GroupOptions[int]{Replicas: cachemesh.MaxReplicas + 1}},
		"fewer of one":  {nil, cachemesh.GroupOptions[int]{Replicas: 1, FewerReplicas: true}},
		"fewer, loaded": {load, cachemesh.GroupOptions[int]{FewerReplicas: true}},
		"fewer, cached": {nil, cachemesh.GroupOptions[int]{FewerReplicas: true, Cache: true}},
		"with a loader": {load, cachemesh.GroupOptions[int]{Replicas: 2}},
		"with Cache":    {nil, cachemesh.GroupOptions[int]{Replicas: 2, Cache: true}},
	} {
		_, err := cachemesh.NewGroup(n, name, c.load, c.opts)
		if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "Replicas" && oe.Option != "FewerReplicas" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, r := range []int{0, 1, 2, cachemesh.MaxReplicas} {
		if _, err := cachemesh.NewGroup(n, string(rune('a'+r)), nil, cachemesh.GroupOptions[int]{Replicas: r}); err != nil {
			t.Errorf("%d: %v", r, err)
		}
	}
}

// TestErrorsShowTheirFields: the errors with fields are aliases, of which go doc shows no field, so their comments do.
func TestErrorsShowTheirFields(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []any{cachemesh.OptionError{}, cachemesh.LoadError{}, cachemesh.WriteError{}, cachemesh.PeerError{},
		cachemesh.LostError{}, cachemesh.StaleError{}} {
		typ := reflect.TypeOf(e)
		_, comment, found := strings.Cut(string(source), "//\ttype "+typ.Name()+" struct {\n")
		comment, _, ends := strings.Cut(comment, "//\t}\n")
		if !found || !ends {
			t.Errorf("the comment of %s does not show the struct", typ.Name())
			continue
		}
		for field := range typ.Fields() {
			name := strings.ReplaceAll(field.Type.String(), "interface {}", "any")
			shown := regexp.MustCompile(`(?m)^//\t\t` + field.Name + ` +` + regexp.QuoteMeta(name) + `( |$)`)
			if field.IsExported() && !shown.MatchString(comment) {
				t.Errorf("the comment of %s does not show %s %v", typ.Name(), field.Name, field.Type)
			}
		}
	}
}
