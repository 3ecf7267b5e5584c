package owner

import (
	"sync"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// What waits to be told: so many keys, and so many bytes of them.
const (
	maxTold      = 4096
	maxToldBytes = 256 << 10
)

// A Listener tells a user's function which values have left a part, one after the other, from a
// goroutine that runs while there is something to tell. Nobody waits for it: what comes while
// too much waits is counted and not told.
type Listener struct {
	Dropped, Panics atomic.Uint64

	tell func(key string, why store.Cause)
	life *life.Life

	mu      sync.Mutex // guards the fields below; taken inside a shard's lock
	waiting []departed
	bytes   int
	running bool
}

type departed struct {
	key string
	why store.Cause
}

// NewListener returns one that calls tell until the node closes.
func NewListener(l *life.Life, tell func(key string, why store.Cause)) *Listener {
	return &Listener{life: l, tell: tell}
}

// note notes that a value has left.
func (l *Listener) note(key string, why store.Cause) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == maxTold || l.bytes+len(key) > maxToldBytes {
		l.Dropped.Add(1)
		return
	}
	l.waiting = append(l.waiting, departed{key, why})
	l.bytes += len(key)
	if !l.running {
		l.running = true
		go func() { l.run(l.take()) }()
	}
}

// run tells what waits. A function that does not return holds up nobody but who comes after
// it; when the node closes it is left behind.
func (l *Listener) run(batch []departed) {
	for ; batch != nil; batch = l.take() {
		l.tellAll(batch)
	}
}

// take takes all that waits. If that is nothing, the goroutine is to end.
func (l *Listener) take() []departed {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := l.waiting
	l.waiting, l.bytes = nil, 0
	l.running = len(batch) > 0
	return batch
}

func (l *Listener) tellAll(batch []departed) {
	told, done := 0, false
	defer func() {
		if !done { // the function has ended the goroutine
			l.Panics.Add(1)
			go l.run(batch[told+1:])
		}
	}()
	for ; told < len(batch); told++ {
		if l.life.IsClosing() {
			l.Dropped.Add(uint64(len(batch) - told))
			break
		}
		if l.tellOne(&batch[told]) != nil {
			l.Panics.Add(1)
		}
	}
	done = true
}

func (l *Listener) tellOne(d *departed) (err error) {
	defer guard.Rescue(&err)
	l.tell(d.key, d.why)
	return nil
}
