package codec

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// Counts reports whether Sum makes sense: values are integers, or text that may be.
func (f *Format[V]) Counts() bool {
	t := reflect.TypeFor[V]()
	switch k := t.Kind(); {
	case k >= reflect.Int && k <= reflect.Uintptr, k == reflect.String:
		return true
	default:
		return k == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	}
}

// Sum returns v + delta. A string or []byte is a decimal integer of 64 bits, and an
// empty one 0. Errors: errs.ErrOverflow and ErrNotInteger.
func (f *Format[V]) Sum(v V, delta int64) (sum V, err error) {
	in, out := reflect.ValueOf(v), reflect.ValueOf(&sum).Elem()
	switch {
	case in.CanInt():
		n, err := add(in.Int(), delta)
		if err != nil || out.OverflowInt(n) {
			return sum, errs.ErrOverflow
		}
		out.SetInt(n)
	case in.CanUint():
		n := in.Uint() + uint64(delta) // modulo 2⁶⁴, whatever delta's sign
		if (delta < 0) != (n < in.Uint()) && delta != 0 || out.OverflowUint(n) {
			return sum, errs.ErrOverflow
		}
		out.SetUint(n)
	case in.Kind() == reflect.String:
		text, err := sumOfText(in.String(), delta)
		if err != nil {
			return sum, err
		}
		out.SetString(text)
	case in.Kind() == reflect.Slice && in.Type().Elem().Kind() == reflect.Uint8:
		text, err := sumOfText(string(in.Bytes()), delta)
		if err != nil {
			return sum, err
		}
		out.SetBytes([]byte(text))
	default:
		return sum, fmt.Errorf("%w: it is a %T", errs.ErrNotInteger, v)
	}
	return sum, nil
}

func sumOfText(text string, delta int64) (string, error) {
	n := int64(0)
	if text != "" {
		var err error
		if n, err = strconv.ParseInt(text, 10, 64); err != nil || strconv.FormatInt(n, 10) != text {
			return "", errs.ErrNotInteger
		}
	}
	n, err := add(n, delta)
	return strconv.FormatInt(n, 10), err
}

// add returns a + b, or ErrOverflow.
func add(a, b int64) (int64, error) {
	sum := a + b
	if (sum < a) != (b < 0) {
		return 0, errs.ErrOverflow
	}
	return sum, nil
}
