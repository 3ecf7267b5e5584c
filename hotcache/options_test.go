package hotcache

import (
	"errors"
	"math"
	"strings"
	"testing"
	"unsafe"
)

func TestNewNamesTheOptionThatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		options Options
		want    string // in the error; "": none
	}{
		{Options{}, ""},
		{Options{MaxBytes: MinBytes, Threshold: 1}, ""},
		{Options{MaxBytes: math.MaxInt64, Threshold: MaxThreshold}, ""},
		{Options{MaxBytes: MinBytes - 1}, "MaxBytes"},
		{Options{MaxBytes: -1}, "MaxBytes"},
		{Options{Threshold: -1}, "Threshold"},
		{Options{Threshold: MaxThreshold + 1}, "Threshold"},
	} {
		c, err := New(tt.options)
		if tt.want == "" {
			if err != nil || c == nil {
				t.Errorf("%+v: got error %v", tt.options, err)
			}
			continue
		}
		if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), tt.want) || c != nil {
			t.Errorf("%+v: got error %v, want one that names %s", tt.options, err, tt.want)
		}
	}
}

func TestBookkeepingIsASmallPartOfTheBudget(t *testing.T) {
	for budget := int64(MinBytes); budget <= 1<<34; budget = budget*3/2 + 1 {
		c, err := New(Options{MaxBytes: budget})
		if err != nil {
			t.Fatal(err)
		}
		fixed := budget - c.capacity.Load()
		if fixed > budget/4 || budget >= 64<<10 && fixed > budget/14 {
			t.Errorf("budget %d: %d bytes of bookkeeping", budget, fixed)
		}
		if fixed > 8<<20 {
			t.Errorf("budget %d: %d bytes of bookkeeping, which should stop growing", budget, fixed)
		}
		s, want := c.shape, c.shape.sets&(c.shape.sets-1)|c.shape.stripes&(c.shape.stripes-1)|c.sketch.count&(c.sketch.count-1)
		if want != 0 || s.sets < s.stripes {
			t.Errorf("budget %d: got %+v and %d rows, want powers of two", budget, s, c.sketch.count)
		}
	}
}

// What an unused cache takes, and what readers load at once.
func TestSizes(t *testing.T) {
	c := newCache(t, Options{MaxBytes: 1 << 30})
	c.Get(hashOf(1), keyName(1), 0)
	c.Invalidate(hashOf(1), 0)
	c.InvalidateAll()
	c.Retain(func(uint64, string) bool { return true })
	c.Sweep(0)
	if got := c.Stats().Bytes; got > 1024 {
		t.Errorf("a cache in which nothing was read takes %d bytes", got)
	}
	for name, got := range map[string]uintptr{
		"set": unsafe.Sizeof(set{}), "hotCopy": unsafe.Sizeof(hotCopy{}), "row": unsafe.Sizeof(row{}),
	} {
		if got != 64 {
			t.Errorf("%s takes %d bytes, want one cache line", name, got)
		}
	}
}
