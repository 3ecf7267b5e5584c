package httppool

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

func TestReaderSplits(t *testing.T) {
	data := make([]byte, 5*readBuffer)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	for name, src := range map[string]io.Reader{
		"whole":       bytes.NewReader(data[100:]),
		"halves":      iotest.HalfReader(bytes.NewReader(data[100:])),
		"with an end": iotest.DataErrReader(bytes.NewReader(data[100:])),
	} {
		f := newFrameReader(src, data[:100])
		for at := 0; at < len(data); {
			n := min(1+rng.IntN(readBuffer), len(data)-at)
			var got []byte
			if rng.IntN(2) == 0 {
				if err := f.fill(n); err != nil {
					t.Fatalf("%s: at %d: %v", name, at, err)
				}
				got = f.next(n)
			} else {
				got = make([]byte, n)
				if err := f.readFull(got); err != nil {
					t.Fatalf("%s: at %d: %v", name, at, err)
				}
			}
			if !bytes.Equal(got, data[at:at+n]) {
				t.Fatalf("%s: other bytes at %d", name, at)
			}
			at += n
		}
		if err := f.fill(1); !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v at the end, want EOF", name, err)
		}
	}
}

func TestReaderCut(t *testing.T) {
	f := newFrameReader(bytes.NewReader([]byte("abc")), nil)
	wantBadFrame(t, f.fill(4), badTruncated)
	wantBadFrame(t, f.skip(4), badTruncated)
	f = newFrameReader(bytes.NewReader([]byte("abc")), nil)
	wantBadFrame(t, f.readFull(make([]byte, 4)), badTruncated)
}

func TestLargeValueGrowsAsBytesArrive(t *testing.T) {
	const announced = 64 << 20
	v := largeValue{left: announced}
	f := newFrameReader(zeros{}, nil)
	for got := 0; got < announced; got += chunkMax {
		if err := v.take(f, chunkMax); err != nil {
			t.Fatal(err)
		}
		if most := max(growMin, 2*len(v.b)); cap(v.b) > most {
			t.Fatalf("after %d bytes %d are allocated, want at most %d", len(v.b), cap(v.b), most)
		}
	}
	if len(v.b) != announced || cap(v.b) != announced {
		t.Errorf("got %d bytes in %d, want %d in no more", len(v.b), cap(v.b), announced)
	}
	wantBadFrame(t, v.take(f, 1), badSize)
}

func TestReaderWidens(t *testing.T) {
	data := make([]byte, 2*wideBuffer)
	for i := range data {
		data[i] = byte(i % 251)
	}
	f := newFrameReader(bytes.NewReader(data), nil)
	var got []byte
	for _, n := range []int{100, readBuffer, wideBuffer, wideBuffer - readBuffer - 100} {
		if err := f.fill(min(n, len(f.buf))); err != nil {
			t.Fatal(err)
		}
		got = append(got, f.next(min(n, len(f.buf)))...)
		f.widen()
	}
	if len(f.buf) != wideBuffer || !bytes.Equal(got, data[:len(got)]) {
		t.Errorf("got a buffer of %d bytes, want %d; the bytes are right: %t", len(f.buf), wideBuffer, bytes.Equal(got, data[:len(got)]))
	}
}

// zeros reads for ever.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
