package guesses

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// tries returns how many of n wrong passwords from an address are looked at.
func tries(l *Limiter, addr string, n int) (looked int) {
	for range n {
		if l.Allows(addr) {
			l.Wrong(addr)
			looked++
		}
	}
	return looked
}

func TestGuessesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		if got := tries(&l, "10.0.0.1:1", 10000); got != AtOnce {
			t.Errorf("%d guesses at once, want %d", got, AtOnce)
		}
		if got := tries(&l, "10.0.0.1:2", 10); got != 0 {
			t.Errorf("%d guesses more from another port", got)
		}
		if !l.Allows("10.0.0.2:1") || !l.Allows("@") {
			t.Error("others are turned away too")
		}
		time.Sleep(3 * time.Second)
		if got := tries(&l, "10.0.0.1:1", 10000); got != 3*PerSecond {
			t.Errorf("%d guesses in 3 s, want %d", got, 3*PerSecond)
		}
		time.Sleep(time.Hour)
		if got := tries(&l, "10.0.0.1:1", 10000); got != AtOnce {
			t.Errorf("%d guesses after an hour, want %d", got, AtOnce)
		}
		looked := 0
		for host := range 1000 {
			looked += tries(&l, fmt.Sprintf("[2001:db8::%x]:1", host+1), 10)
		}
		if looked != AtOnce {
			t.Errorf("%d guesses from one network of IPv6, want %d", looked, AtOnce)
		}
	})
}

// Whoever has very many addresses takes no more memory than is meant, and is bounded too.
func TestVeryManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		looked := 0
		for i := range 20000 {
			looked += tries(&l, fmt.Sprintf("10.0.%d.%d:1", i/250, i%250), 3)
		}
		if want := 3*mostAddrs + AtOnce; looked != want || len(l.byAddr) != mostAddrs {
			t.Errorf("%d guesses, %d addresses, want %d, %d", looked, len(l.byAddr), want, mostAddrs)
		}
		time.Sleep(time.Minute)
		if got := tries(&l, "10.9.9.9:1", 1000); got != AtOnce || len(l.byAddr) != 1 {
			t.Errorf("%d guesses of a new one a minute later, %d addresses", got, len(l.byAddr))
		}
	})
}
