package resp

import (
	"sync"
	"sync/atomic"
)

// A Budget is what the Readers and Writers of a server may buffer together, beyond less than
// 2 KiB each. It may be used concurrently.
type Budget struct {
	left atomic.Int64
}

// NewBudget returns a budget of so many bytes.
func NewBudget(bytes int64) *Budget {
	b := &Budget{}
	b.left.Store(bytes)
	return b
}

// Take takes bytes, if there are as many left.
func (b *Budget) Take(n int) bool {
	if b.left.Add(-int64(n)) < 0 {
		b.left.Add(int64(n))
		return false
	}
	return true
}

// Left returns how many bytes nobody has taken.
func (b *Budget) Left() int64 { return b.left.Load() }

// Give gives back what Take took.
func (b *Budget) Give(n int) { b.left.Add(int64(n)) }

var buffers = sync.Pool{New: func() any { return new([fullBuffer]byte) }}

// buffer returns a buffer from the pool, nil if there is no budget for it.
func (b *Budget) buffer() *[fullBuffer]byte {
	if !b.Take(fullBuffer) {
		return nil
	}
	return buffers.Get().(*[fullBuffer]byte)
}

func (b *Budget) giveBuffer(buf *[fullBuffer]byte) {
	buffers.Put(buf)
	b.Give(fullBuffer)
}
