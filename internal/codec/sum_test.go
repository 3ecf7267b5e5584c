package codec

import (
	"errors"
	"math"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

func sum[V any](t *testing.T, v V, delta int64, want V, is error, same func(a, b V) bool) {
	t.Helper()
	f := New[V](nil)
	if !f.Counts() {
		t.Errorf("%T does not count", v)
	}
	got, err := f.Sum(v, delta)
	if !errors.Is(err, is) || err == nil && !same(got, want) {
		t.Errorf("%T %v + %d = %v, %v; want %v, %v", v, v, delta, got, err, want, is)
	}
}

func equal[V comparable](a, b V) bool { return a == b }

func TestSum(t *testing.T) {
	sum(t, int8(100), 27, 127, nil, equal)
	sum(t, int8(100), 28, 0, errs.ErrOverflow, equal)
	sum(t, int8(-100), -29, 0, errs.ErrOverflow, equal)
	sum(t, int64(math.MaxInt64), 1, 0, errs.ErrOverflow, equal)
	sum(t, int64(math.MinInt64), -1, 0, errs.ErrOverflow, equal)
	sum(t, int64(-5), 5, 0, nil, equal)
	sum(t, int64(7), 0, 7, nil, equal)
	sum(t, uint8(255), 1, 0, errs.ErrOverflow, equal)
	sum(t, uint8(3), -4, 0, errs.ErrOverflow, equal)
	sum(t, uint8(3), -3, 0, nil, equal)
	sum(t, uint64(math.MaxUint64), 1, 0, errs.ErrOverflow, equal)
	sum(t, uint64(math.MaxUint64), 0, math.MaxUint64, nil, equal)
	sum(t, uint64(math.MaxUint64), math.MinInt64, math.MaxInt64, nil, equal)
	sum(t, "", 3, "3", nil, equal)
	sum(t, "41", 1, "42", nil, equal)
	sum(t, "9223372036854775807", 1, "", errs.ErrOverflow, equal)
	for _, text := range []string{" 1", "1 ", "+1", "01", "-0", "1.5", "x", "9223372036854775808"} {
		sum(t, text, 1, "", errs.ErrNotInteger, equal)
	}
	sum(t, []byte("9"), -10, []byte("-1"), nil, func(a, b []byte) bool { return string(a) == string(b) })
	if f := New[float64](nil); f.Counts() {
		t.Error("float64 counts")
	}
	f := New[struct{}](nil)
	if _, err := f.Sum(struct{}{}, 1); !errors.Is(err, errs.ErrNotInteger) {
		t.Error(err)
	}
}
