package owner

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
)

const (
	// FailedShare is the part of MaxBytes, as 1/FailedShare, that remembered failures
	// may take.
	FailedShare = 32

	failedBytes = 256     // what one takes besides key and error, about
	failedText  = 1 << 10 // bytes of an error's text that are kept
)

const (
	retryLoadMin = 100 * time.Millisecond
	retryLoadMax = 10 * time.Second
)

// A memo is what is remembered of a failed load, and what that takes.
type memo struct {
	err  *errs.LoadError
	size int64
}

// A setback is a load that failed, of a key that has nothing old to fall back on:
// whoever asks again before until is told the same.
type setback struct {
	err   error // a *LoadError
	until int64 // when the next load may begin
	count int   // loads that failed one after the other
	size  int64
}

// setbacks are the failures that a group remembers, if it does. Whatever makes room
// or is forgotten costs a load at most. A nil one remembers nothing.
type setbacks struct {
	first time.Duration // how long the first failure of a key is remembered

	mu    sync.Mutex // guards the fields below; taken inside a shard's lock
	keys  map[string]*setback
	bytes int64
	max   int64 // bytes
}

func newSetbacks(first time.Duration, room int64) *setbacks {
	if first == 0 {
		return nil
	}
	return &setbacks{first: first, max: room, keys: make(map[string]*setback)}
}

// newReasons makes the setbacks that only explain.
func newReasons(staleFor time.Duration, room int64) *setbacks {
	return newSetbacks(min(staleFor, 1), room)
}

// backoff is how long after so many failures one waits.
func backoff(first time.Duration, failures int) time.Duration {
	most := max(first, retryLoadMax)
	if shift := failures - 1; shift < 16 && first <= most>>shift {
		return first << shift
	}
	return most
}

// withoutStack returns an error that does not keep a stack of many kilobytes.
func withoutStack(le *errs.LoadError) *errs.LoadError {
	p, ok := le.Err.(*guard.PanicError)
	if !ok {
		return le
	}
	short := *le
	short.Err = p.Clipped(failedText)
	return &short
}

// last returns the failure of a key that may not be loaded again yet.
func (b *setbacks) last(key string, now int64) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.keys[key]; s != nil && now < s.until {
		return s.err
	}
	return nil
}

// note remembers a failure, for twice as long as the one before it.
func (b *setbacks) note(key string, m *memo, now int64) {
	if b == nil || errors.Is(m.err, errs.ErrOverloaded) { // the origin was not asked
		return
	}
	s := &setback{err: m.err, count: 1, size: m.size}
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.keys[key]; old != nil && now < clock.Later(old.until, retryLoadMax) {
		s.count = old.count + 1
	}
	s.until = clock.Later(now, backoff(b.first, s.count))
	b.putLocked(key, s)
}

// explain remembers why the value of a key is old.
func (b *setbacks) explain(key string, m *memo) {
	if b == nil || m == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.putLocked(key, &setback{err: m.err, size: m.size})
}

// reason returns what explain remembers, nil if that has made room.
func (b *setbacks) reason(key string) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.keys[key]; s != nil {
		return s.err
	}
	return nil
}

func (b *setbacks) putLocked(key string, s *setback) {
	b.forgetLocked(key)
	b.makeRoomLocked(s.size)
	if s.size <= b.max {
		b.keys[key] = s
		b.bytes += s.size
	}
}

func (b *setbacks) makeRoomLocked(size int64) {
	for other := range b.keys { // any one gives way
		if b.bytes+size <= b.max {
			break
		}
		b.forgetLocked(other)
	}
}

func (b *setbacks) resize(room int64) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.max = room
	b.makeRoomLocked(0)
}

func (b *setbacks) forget(key string) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forgetLocked(key)
}

func (b *setbacks) forgetLocked(key string) {
	if s := b.keys[key]; s != nil {
		b.bytes -= s.size
		delete(b.keys, key)
	}
}

// withPrefix appends the keys of failures that begin with a prefix.
func (b *setbacks) withPrefix(dst []string, prefix string) []string {
	if b == nil {
		return dst
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.keys {
		if strings.HasPrefix(key, prefix) {
			dst = append(dst, key)
		}
	}
	return dst
}

func (b *setbacks) forgetAll() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.keys)
	b.bytes = 0
}

// held is what the failures take, in bytes.
func (b *setbacks) held() int64 {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

// count returns how many failures are remembered, and what they take.
func (b *setbacks) count() (keys int, bytes int64) {
	if b == nil {
		return 0, 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.keys), b.bytes
}
