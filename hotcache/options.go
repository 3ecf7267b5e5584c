package hotcache

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

const (
	// DefaultMaxBytes is the budget if Options.MaxBytes is 0.
	DefaultMaxBytes = 8 << 20

	// MinBytes is the smallest budget. Whoever has less to give uses a nil *Cache.
	MinBytes = 4 << 10

	// MaxThreshold is the largest Options.Threshold.
	MaxThreshold = 1000
)

// ErrOptions is wrapped by every error of New; the text names the option and its bounds.
var ErrOptions = errors.New("hotcache: invalid option")

// Options configure a Cache. The zero value is usable.
type Options struct {
	// MaxBytes is the budget for copies and for all bookkeeping. Default: 8 MiB. At least MinBytes.
	MaxBytes int64

	// Threshold is how many reads of a key within some minutes make it worth a copy. At 1, every read does. Default: what
	// copies of the key were worth decides, see Cache.Touch.
	Threshold int

	// Faults leaves out safeguards, for tests of tests. Default: none.
	Faults *faultinject.Faults
}

// New returns an empty Cache. It allocates next to nothing until keys are read. Its error wraps ErrOptions.
func New(o Options) (*Cache, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxBytes < MinBytes {
		return nil, fmt.Errorf("%w: MaxBytes is %d, must be at least %d", ErrOptions, o.MaxBytes, MinBytes)
	}
	if o.Threshold < 0 || o.Threshold > MaxThreshold {
		return nil, fmt.Errorf("%w: Threshold is %d, must be from 0 to %d", ErrOptions, o.Threshold, MaxThreshold)
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
