package memnet

const (
	bufferMin = 4 << 10
	bufferMax = 256 << 10 // bytes on their way in one direction of a stream
)

// A buffer is a queue of at most bufferMax bytes. It grows by doubling, so that
// thousands of quiet streams stay small.
type buffer struct {
	data []byte // its length is a power of two, or zero
	head int    // of the first byte
	size int    // bytes held
}

func (b *buffer) space() int { return bufferMax - b.size }

// write appends p, which must fit the space.
func (b *buffer) write(p []byte) {
	if b.size+len(p) > len(b.data) {
		b.grow(b.size + len(p))
	}
	if len(p) == 0 {
		return
	}
	tail := (b.head + b.size) & (len(b.data) - 1)
	n := copy(b.data[tail:], p)
	copy(b.data, p[n:])
	b.size += len(p)
}

// read moves at most limit of the first bytes to p.
func (b *buffer) read(p []byte, limit int) int {
	p = p[:min(len(p), limit, b.size)]
	if len(p) == 0 {
		return 0
	}
	n := copy(p, b.data[b.head:])
	copy(p[n:], b.data)
	b.size -= len(p)
	b.head = (b.head + len(p)) & (len(b.data) - 1)
	if b.size == 0 {
		b.head = 0 // what comes next is in one piece
	}
	return len(p)
}

func (b *buffer) grow(need int) {
	size := max(len(b.data), bufferMin)
	for size < need {
		size *= 2
	}
	data := make([]byte, size)
	held := b.size
	b.read(data, held)
	b.data, b.head, b.size = data, 0, held
}
