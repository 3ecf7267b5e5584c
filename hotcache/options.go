package hotcache

import (
	"errors"
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

const (
	// DefaultMaxBytes is the budget if Options.MaxBytes is 0.
	DefaultMaxBytes = 8 << 20

	// MinBytes is the smallest budget. Whoever has less to give uses a nil *Cache.
	MinBytes = 4 << 10

	// DefaultThreshold is how many quick reads make a key hot if Options.Threshold is 0.
	DefaultThreshold = 3

	// MaxThreshold is the largest Options.Threshold.
	MaxThreshold = 1000
)

// ErrOptions is wrapped by every error of New; the text names the option and its bounds.
var ErrOptions = errors.New("hotcache: invalid option")

// Options configure a Cache. The zero value is usable.
type Options struct {
	// MaxBytes is the budget for copies and for all bookkeeping. Default: 8 MiB. At least MinBytes.
	MaxBytes int64

	// Threshold is how many reads within 0.4 s make a key hot. Each half second more may bring one more read: with
	// the default of 3, also 4 reads within 0.9 s and 5 within 1.4 s do, and 2 reads a second never do.
	// At 1, every read does.
	Threshold int

	// Faults leaves out safeguards, for tests of tests. Default: none.
	Faults *faultinject.Faults
}

// New returns an empty Cache. It allocates next to nothing until keys are read and become hot. Its error wraps ErrOptions.
func New(o Options) (*Cache, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Threshold == 0 {
		o.Threshold = DefaultThreshold
	}
	if o.MaxBytes < MinBytes {
		return nil, fmt.Errorf("%w: MaxBytes is %d, must be at least %d", ErrOptions, o.MaxBytes, MinBytes)
	}
	if o.Threshold < 1 || o.Threshold > MaxThreshold {
		return nil, fmt.Errorf("%w: Threshold is %d, must be from 1 to %d", ErrOptions, o.Threshold, MaxThreshold)
	}
	c := &Cache{
		scatter: store.NewScatter(),
		sketch:  newSketch(o.MaxBytes, o.Threshold),
		shape:   shapeFor(o.MaxBytes),
	}
	if o.Faults != nil {
		c.ignoreMark = o.Faults.IgnoreMark
	}
	c.capacity.Store(o.MaxBytes - c.shape.bytes() - c.sketch.bytes() - int64(unsafe.Sizeof(*c)))
	return c, nil
}

// A shape is the dimensions of a table, fixed by the budget. Both are powers of two, sets is at least stripes.
type shape struct{ sets, stripes int }

const (
	// bytesPerSet makes the sets take 1/32 of the budget, and leaves 292 bytes for each of their seven ways: about
	// what a copy of a hundred bytes takes. With smaller values the ways run out before the bytes do.
	bytesPerSet = 2 << 10
	maxSets     = 1 << 16 // 4 MiB, for 458 752 copies

	// maxStripes bounds how often an invalidation marks a fetch of another key: with 1000 invalidations a second and
	// fetches of 1 ms, one fetch in 1000.
	maxStripes = 1 << 10
)

func shapeFor(maxBytes int64) shape {
	sets := powerOfTwo(min(maxBytes/bytesPerSet, maxSets))
	return shape{sets: sets, stripes: min(sets, maxStripes)}
}

func (s shape) bytes() int64 {
	return int64(unsafe.Sizeof(table{})) + int64(s.sets)*int64(unsafe.Sizeof(set{})) +
		int64(s.stripes)*int64(unsafe.Sizeof(stripe{}))
}

// powerOfTwo returns the largest power of two that is at most n, for n ≥ 1.
func powerOfTwo(n int64) int { return 1 << (bits.Len64(uint64(n)) - 1) }
