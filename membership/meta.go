package membership

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/memberlist"
)

// A member's meta travels with its gossip, in at most memberlist.MetaMaxSize bytes:
//
//	version 1 byte | flags 1 byte | boot 8 bytes | life 4 bytes | length of addr 2 bytes | addr
//
// Numbers are big endian. Flags that are unknown and bytes that follow are ignored, so that later releases can add to it; a change that old
// members must not misread takes a new version. An empty addr means the address that gossip itself uses.
const (
	metaVersion     = 1
	metaFlagLeaving = 1 << 0
	metaHeader      = 1 + 1 + 8 + 4 + 2

	maxNameLen = 128
	maxAddrLen = 253 + len(":65535") // the longest host name and port
)

var (
	errMetaShort   = errors.New("meta is cut short")
	errMetaVersion = errors.New("meta has an unknown version")
	errMetaBoot    = errors.New("meta has no identity")
)

type meta struct {
	boot    uint64
	life    uint32
	leaving bool
	addr    string // empty: the gossip address
}

// encode returns the wire form. It is within memberlist's limit because Config bounds addr.
func (m meta) encode() []byte {
	b := make([]byte, 0, metaHeader+len(m.addr))
	var flags byte
	if m.leaving {
		flags |= metaFlagLeaving
	}
	b = append(b, metaVersion, flags)
	b = binary.BigEndian.AppendUint64(b, m.boot)
	b = binary.BigEndian.AppendUint32(b, m.life)
	b = binary.BigEndian.AppendUint16(b, uint16(len(m.addr)))
	return append(b, m.addr...)
}

// decodeMeta reads what a peer sent; it keeps no reference to b.
func decodeMeta(b []byte) (meta, error) {
	switch {
	case len(b) > 0 && b[0] != metaVersion:
		return meta{}, fmt.Errorf("%w: %d", errMetaVersion, b[0])
	case len(b) < metaHeader:
		return meta{}, errMetaShort
	}
	m := meta{leaving: b[1]&metaFlagLeaving != 0, boot: binary.BigEndian.Uint64(b[2:]), life: binary.BigEndian.Uint32(b[10:])}
	n := int(binary.BigEndian.Uint16(b[14:]))
	if n > len(b)-metaHeader {
		return meta{}, errMetaShort
	}
	m.addr = string(b[metaHeader : metaHeader+n])
	if m.boot == 0 || m.life == 0 {
		return meta{}, errMetaBoot
	}
	if m.addr != "" {
		if _, _, err := splitAddr(m.addr); err != nil {
			return meta{}, fmt.Errorf("meta has a bad address: %w", err)
		}
	}
	return m, nil
}

// peerFrom reads a member out of gossip, or says why it is no member of this mesh.
func peerFrom(n *memberlist.Node) (peer, error) {
	if err := checkName(n.Name); err != nil {
		return peer{}, err
	}
	ip, ok := netip.AddrFromSlice(n.Addr)
	ip = ip.Unmap()
	if !ok || ip.IsUnspecified() || n.Port == 0 {
		return peer{}, fmt.Errorf("gossip address %v:%d cannot be dialled", n.Addr, n.Port)
	}
	mt, err := decodeMeta(n.Meta)
	if err != nil {
		return peer{}, err
	}
	p := peer{gossip: netip.AddrPortFrom(ip, n.Port)}
	p.Member = Member{Name: n.Name, Addr: mt.addr, Boot: mt.boot, Life: mt.life, Leaving: mt.leaving}
	if p.Addr == "" {
		p.Addr = p.gossip.String()
	}
	return p, nil
}

// checkName accepts 1 to 128 bytes of printable text.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("name is empty")
	case len(name) > maxNameLen:
		return fmt.Errorf("name is %d bytes long, the limit is %d", len(name), maxNameLen)
	case !printable(name):
		return fmt.Errorf("name %q is not printable text", name)
	}
	return nil
}

func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// splitAddr takes host:port apart. The host may be empty; the port is a number from 1 to 65535.
func splitAddr(addr string) (host string, port uint16, err error) {
	if len(addr) > maxAddrLen {
		return "", 0, fmt.Errorf("address is %d bytes long, the limit is %d", len(addr), maxAddrLen)
	}
	if !printable(addr) {
		return "", 0, fmt.Errorf("address %q is not printable text", addr)
	}
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not host:port", addr)
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("%q has no port from 1 to 65535", addr)
	}
	return host, uint16(n), nil
}
