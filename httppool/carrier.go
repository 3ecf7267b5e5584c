package httppool

import (
	"sync/atomic"
	"time"
)

// Bytes of a large value that were handed to the kernel are ahead of whatever is written
// after them on the same connection, and a kernel takes megabytes. So values above
// carryFrom have a connection of their own, the carrier, which is tied to the first one:
// requests with such values are made over it, and answers with such values come over it,
// though the calls were made over the first. The caller opens it when the first such value
// comes, and names the connection to which it belongs by the nonce that it sent there; a
// peer that does not know of this does not say so in its answer, and all goes as before.
// Both end together, since answers to the calls of one may be on the other.

// carryFrom is how large a value must be to go over the carrier. It is what the reading
// goroutine of a serving connection would write itself at most.
const carryFrom = ownMax

// haulFor is how long after a large value small calls keep to the first connection,
// however large answers are on average.
const haulFor = time.Second

// pair is what a connection and the other that it is tied to know of each other. At most one
// of both is not nil.
type pair[T any] struct {
	carries *T                // the connection that this one is the carrier of
	carrier atomic.Pointer[T] // of this one
}

// mate returns the connection that this one is tied to, or nil.
func (p *pair[T]) mate() *T {
	if p.carries != nil {
		return p.carries
	}
	return p.carrier.Load()
}
