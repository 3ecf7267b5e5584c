package membership

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// names is a Resolver of fixed names.
type names struct {
	mu  sync.Mutex // guards ips
	ips map[string][]netip.Addr
}

func (n *names) add(host string, ips ...netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ips == nil {
		n.ips = make(map[string][]netip.Addr)
	}
	n.ips[host] = append(slices.Clone(n.ips[host]), ips...)
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if ips, ok := n.ips[host]; ok {
		return ips, nil
	}
	return nil, fmt.Errorf("no such host: %s", host)
}

// lockedBuffer collects a log.
type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *lockedBuffer) count(text string) int { return strings.Count(b.String(), text) }
