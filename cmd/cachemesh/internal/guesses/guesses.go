// Package guesses bounds how fast passwords can be guessed, by the address that they come from.
package guesses

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// AtOnce is how many wrong passwords an address may say at once, and PerSecond how many
	// after that.
	AtOnce    = 100
	PerSecond = 10

	mostAddrs = 4096 // of which one is remembered each; the others are one together
)

// A Limiter remembers who said wrong passwords. Who says the right one costs it nothing. It may
// be used concurrently; its zero value is ready.
type Limiter struct {
	some atomic.Bool // somebody said one

	mu     sync.Mutex            // guards what follows
	byAddr map[netip.Addr]record // of those whose time is not over
	rest   record                // of all that have no room
}

// A record is of the wrong passwords of an address: they are over as time goes by, PerSecond of
// them.
type record struct{ until time.Time }

func (r record) full(now time.Time) bool {
	return r.until.Sub(now) > (AtOnce-1)*time.Second/PerSecond
}

func (r record) more(now time.Time) record {
	if r.until.Before(now) {
		r.until = now
	}
	return record{r.until.Add(time.Second / PerSecond)}
}

// Allows reports whether a password that comes from an address may be looked at: a host and port, or anything
// else for those that have no address.
func (l *Limiter) Allows(addr string) bool {
	if !l.some.Load() {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r, known := l.byAddr[of(addr)]
	if !known && len(l.byAddr) >= mostAddrs {
		r = l.rest
	}
	return !r.full(time.Now())
}

// Wrong notes that a wrong password came from an address.
func (l *Limiter) Wrong(addr string) {
	at, now := of(addr), time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.some.Store(true)
	r, known := l.byAddr[at]
	if !known && len(l.byAddr) >= mostAddrs {
		l.forgetLocked(now)
	}
	if !known && len(l.byAddr) >= mostAddrs {
		l.rest = l.rest.more(now)
		return
	}
	if l.byAddr == nil {
		l.byAddr = make(map[netip.Addr]record)
	}
	l.byAddr[at] = r.more(now)
}

// forgetLocked forgets those whose time is over.
func (l *Limiter) forgetLocked(now time.Time) {
	for at, r := range l.byAddr {
		if !r.until.After(now) {
			delete(l.byAddr, at)
		}
	}
}

// of returns what stands for an address: of IPv6 the network of a site, which gives its hosts as many as they
// like.
func of(addr string) netip.Addr {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return netip.Addr{}
	}
	ip := at.Addr().Unmap().WithZone("")
	if ip.Is6() {
		if site, err := ip.Prefix(64); err == nil {
			return site.Addr()
		}
	}
	return ip
}
