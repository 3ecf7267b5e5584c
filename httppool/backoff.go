package httppool

import (
	"math/rand/v2"
	"time"
)

// backoff spaces the dials to a peer that fails. The zero value allows one at once.
// It is not safe for concurrent use.
type backoff struct {
	failures int
	until    time.Time
	err      error
}

// wait returns nil when a dial is due at now, or an error that matches
// ErrUnreachable and the last failure.
func (b *backoff) wait(now time.Time) error {
	if now.Before(b.until) {
		return b.err
	}
	return nil
}

// failed doubles the wait, up to cfg.BackoffMax, and takes a random half off it, so
// that members which lost a peer together do not come back together.
func (b *backoff) failed(now time.Time, cause error, cfg Config) {
	wait := cfg.BackoffMax
	if b.failures < 30 {
		wait = min(wait, cfg.BackoffMin<<b.failures)
	}
	if wait <= 0 {
		wait = cfg.BackoffMax
	}
	b.failures++
	b.until = now.Add(wait/2 + rand.N(wait/2+1))
	b.err = &backoffError{cause}
}
