package httppool

import (
	"errors"
	"io"
	"sync/atomic"
)

// frameReader splits a connection's bytes into frames. It belongs to the one
// goroutine that reads the connection; only its counters may be read by others.
type frameReader struct {
	src   io.Reader
	buf   []byte
	r, w  int           // buf[r:w] was read and not used
	reads atomic.Uint64 // grows while the peer is alive
	bytes atomic.Uint64
}

// newFrameReader reads first what the handshake had read too far, then src.
func newFrameReader(src io.Reader, first []byte) *frameReader {
	f := &frameReader{src: src, buf: make([]byte, max(readBuffer, len(first)))}
	f.w = copy(f.buf, first)
	f.bytes.Store(uint64(len(first)))
	return f
}

// widen makes the buffer hold several values of a common large size, which then come
// in fewer reads.
func (f *frameReader) widen() {
	if len(f.buf) >= wideBuffer {
		return
	}
	wide := make([]byte, wideBuffer)
	f.r, f.w = 0, copy(wide, f.buf[f.r:f.w])
	f.buf = wide
}

// buffered reports how many bytes can be had without reading.
func (f *frameReader) buffered() int { return f.w - f.r }

// fill reads until n bytes are buffered; n is at most readBuffer.
func (f *frameReader) fill(n int) error {
	if f.r == f.w {
		f.r, f.w = 0, 0
	} else if len(f.buf)-f.r < n {
		f.w = copy(f.buf, f.buf[f.r:f.w])
		f.r = 0
	}
	for f.w-f.r < n {
		m, err := f.read(f.buf[f.w:])
		f.w += m
		if err != nil && f.w-f.r < n {
			return f.ended(err)
		}
	}
	return nil
}

// next consumes n buffered bytes; they stay valid until the next fill.
func (f *frameReader) next(n int) []byte {
	b := f.buf[f.r : f.r+n : f.r+n]
	f.r += n
	return b
}

// readFull fills dst, past the buffer where that is empty, so that large values are
// copied once.
func (f *frameReader) readFull(dst []byte) error {
	n := copy(dst, f.buf[f.r:f.w])
	f.r += n
	for n < len(dst) {
		m, err := f.read(dst[n:])
		n += m
		if err != nil && n < len(dst) {
			return f.cut(err)
		}
	}
	return nil
}

// skip drops n bytes.
func (f *frameReader) skip(n int) error {
	for n > 0 {
		if f.buffered() == 0 {
			if err := f.fill(1); err != nil {
				return f.cut(err)
			}
		}
		m := min(n, f.buffered())
		f.r += m
		n -= m
	}
	return nil
}

func (f *frameReader) read(p []byte) (int, error) {
	n, err := f.src.Read(p)
	f.reads.Add(1)
	f.bytes.Add(uint64(n))
	return n, err
}

// ended tells a connection that ended between frames from one cut inside a frame.
func (f *frameReader) ended(err error) error {
	if f.buffered() > 0 {
		return f.cut(err)
	}
	return err
}

// cut names an end of the stream that the peer owed more bytes for.
func (f *frameReader) cut(err error) error {
	if errors.Is(err, io.EOF) {
		return badFrame(badTruncated, "connection ended inside a frame")
	}
	return err
}

// largeValue collects a value that arrives in data frames. It allocates as bytes
// arrive, whatever length was announced.
type largeValue struct {
	b    []byte
	left int  // bytes still to come
	drop bool // read and forget
}

// take reads the n bytes of one data frame.
func (v *largeValue) take(f *frameReader, n int) error {
	if n > v.left {
		return badFrame(badSize, "data of %d bytes where %d were left", n, v.left)
	}
	v.left -= n
	if v.drop {
		return f.skip(n)
	}
	have := len(v.b)
	if have == 0 && v.left == 0 && f.buffered() >= n {
		v.b = append([]byte(nil), f.next(n)...) // unlike make, does not clear first
		return nil
	}
	if cap(v.b)-have < n {
		grown := make([]byte, have, min(have+n+v.left, max(2*have, growMin, have+n)))
		copy(grown, v.b)
		v.b = grown
	}
	v.b = v.b[:have+n]
	return f.readFull(v.b[have:])
}
