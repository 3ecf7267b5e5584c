package membership

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/hashicorp/memberlist"
)

func TestMetaRoundTrip(t *testing.T) {
	longest := strings.Repeat("h", 253) + ":65535"
	for _, want := range []meta{
		{boot: 1, life: 1},
		{boot: 1<<64 - 1, life: 1<<32 - 1, leaving: true},
		{boot: 7, life: 2, addr: "cache-0.cache:3000"},
		{boot: 7, life: 2, leaving: true, addr: longest},
	} {
		b := want.encode()
		if len(b) > memberlist.MetaMaxSize {
			t.Errorf("%+v takes %d bytes", want, len(b))
		}
		if got, err := decodeMeta(b); err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
		if got, err := decodeMeta(append(b, "of a later release"...)); err != nil || got != want {
			t.Errorf("with more behind it: got %+v, %v; want %+v", got, err, want)
		}
		for n := range b {
			if _, err := decodeMeta(b[:n]); !errors.Is(err, errMetaShort) {
				t.Errorf("cut to %d of %d bytes: %v", n, len(b), err)
			}
		}
	}
}

func TestMetaIsChecked(t *testing.T) {
	good := meta{boot: 7, life: 1, addr: "a:1"}.encode()
	set := func(i int, v byte) []byte {
		b := bytes.Clone(good)
		b[i] = v
		return b
	}
	for name, b := range map[string][]byte{
		"empty":       nil,
		"version":     set(0, 2),
		"boot":        set(9, 0),
		"life":        set(13, 0),
		"addr length": set(15, 4),
		"no port":     meta{boot: 7, life: 1, addr: "a"}.encode(),
		"port 0":      meta{boot: 7, life: 1, addr: "a:0"}.encode(),
		"unprintable": meta{boot: 7, life: 1, addr: "a\n:1"}.encode(),
	} {
		if m, err := decodeMeta(b); err == nil {
			t.Errorf("%s: accepted as %+v", name, m)
		}
	}
}

func TestPeerFromChecksTheNode(t *testing.T) {
	good := func() *memberlist.Node {
		return &memberlist.Node{Name: "x", Addr: net.IPv4(10, 0, 0, 1), Port: 3000, Meta: meta{boot: 7, life: 1}.encode()}
	}
	p, err := peerFrom(good())
	if err != nil || p.Addr != "10.0.0.1:3000" || p.gossip.String() != "10.0.0.1:3000" || p.ID() != "x#7" {
		t.Errorf("got %+v, %v", p, err)
	}
	for name, spoil := range map[string]func(*memberlist.Node){
		"no name":    func(n *memberlist.Node) { n.Name = "" },
		"long name":  func(n *memberlist.Node) { n.Name = strings.Repeat("x", 129) },
		"bad name":   func(n *memberlist.Node) { n.Name = "a\x00b" },
		"not UTF-8":  func(n *memberlist.Node) { n.Name = "a\xff" },
		"short addr": func(n *memberlist.Node) { n.Addr = n.Addr[:3] },
		"no addr":    func(n *memberlist.Node) { n.Addr = nil },
		"any addr":   func(n *memberlist.Node) { n.Addr = net.IPv4zero },
		"no port":    func(n *memberlist.Node) { n.Port = 0 },
		"no meta":    func(n *memberlist.Node) { n.Meta = nil },
	} {
		n := good()
		spoil(n)
		if p, err := peerFrom(n); err == nil {
			t.Errorf("%s: accepted as %+v", name, p)
		}
	}
}

func FuzzDecodeMeta(f *testing.F) {
	f.Add(meta{boot: 7, life: 1, leaving: true, addr: "a:1"}.encode())
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMeta(b)
		if err != nil {
			return
		}
		if again, err := decodeMeta(m.encode()); err != nil || again != m {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}

func TestAbsencesRoundTrip(t *testing.T) {
	if b := encodeAbsences(nil); b != nil {
		t.Errorf("none: %x", b)
	}
	list := []absence{{"a", 1, 2}, {strings.Repeat("n", maxNameLen), 1<<64 - 1, 1<<32 - 1}}
	b := encodeAbsences(list)
	got, err := decodeAbsences(b)
	if err != nil || len(got) != 2 || got[0] != list[0] || got[1] != list[1] {
		t.Errorf("got %+v, %v", got, err)
	}
	for n := 1; n < len(b); n++ {
		if _, err := decodeAbsences(b[:n]); err == nil {
			t.Errorf("cut to %d of %d bytes: accepted", n, len(b))
		}
	}
	if got, err := decodeAbsences([]byte{9, 9}); got != nil || err != nil {
		t.Errorf("another version: %v, %v", got, err)
	}
	if _, err := decodeAbsences([]byte{1, 255, 255}); err == nil {
		t.Error("too many were accepted")
	}
}

func FuzzDecodeAbsences(f *testing.F) {
	f.Add(encodeAbsences([]absence{{"a", 1, 2}, {"", 0, 0}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := decodeAbsences(b)
		if err != nil {
			return
		}
		again, err := decodeAbsences(encodeAbsences(list))
		if err != nil || len(again) != len(list) {
			t.Fatalf("%+v became %+v, %v", list, again, err)
		}
	})
}
