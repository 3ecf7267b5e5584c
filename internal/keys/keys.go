// Package keys writes keys of other types as strings, and reads them.
//
// What holds: Parse accepts a string only if Text gives that very string back, so that a key has one
// string and no other.
package keys

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"unsafe"
)

// A Format is how keys of a type are written. It is immutable.
type Format[K comparable] struct {
	kind  reflect.Kind // Int for all signed integers, Uint for the others, String; 0: write says
	write func(K) (string, error)
	parse func(string) (K, error)
}

// New returns the format of a type: by two functions that undo each other, or, if both are nil, by
// what the type is.
func New[K comparable](write func(K) string, parse func(string) (K, error)) (Format[K], error) {
	t := reflect.TypeFor[K]()
	switch {
	case write != nil && parse != nil:
		return Format[K]{write: func(k K) (string, error) { return write(k), nil }, parse: parse}, nil
	case write != nil || parse != nil:
		return Format[K]{}, errors.New("its functions need each other")
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) && reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return Format[K]{write: marshal[K], parse: unmarshal[K]}, nil
	}
	switch kind := t.Kind(); kind {
	case reflect.String:
		return Format[K]{kind: kind, parse: func(s string) (K, error) { return *(*K)(unsafe.Pointer(&s)), nil }}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Format[K]{kind: reflect.Int, parse: parseInt[K]}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return Format[K]{kind: reflect.Uint, parse: parseUint[K]}, nil
	}
	return Format[K]{}, fmt.Errorf("keys of type %v are no integers, strings, or types with MarshalText and UnmarshalText: they need functions", t)
}

// MaxInt is how many bytes an integer takes at most.
const MaxInt = 20

// AppendInt appends a key that is an integer, and reports whether keys are.
func (f *Format[K]) AppendInt(to []byte, k K) ([]byte, bool) {
	switch f.kind {
	case reflect.Int:
		return strconv.AppendInt(to, signed(k), 10), true
	case reflect.Uint:
		return strconv.AppendUint(to, unsigned(k), 10), true
	}
	return to, false
}

// Text returns the string of a key. A string is itself, without a copy. The error is that of the
// key's type.
func (f *Format[K]) Text(k K) (string, error) {
	switch f.kind {
	case reflect.Int:
		return strconv.FormatInt(signed(k), 10), nil
	case reflect.Uint:
		return strconv.FormatUint(unsigned(k), 10), nil
	case reflect.String:
		return *(*string)(unsafe.Pointer(&k)), nil
	}
	return f.write(k)
}

// Parse returns the key of a string.
func (f *Format[K]) Parse(s string) (k K, err error) {
	if k, err = f.parse(s); err != nil {
		return k, err
	}
	if again, err := f.Text(k); err != nil || again != s {
		return k, fmt.Errorf("%q is another writing of it", s)
	}
	return k, nil
}

// signed returns a key that is a signed integer.
func signed[K comparable](k K) int64 {
	p := unsafe.Pointer(&k)
	switch unsafe.Sizeof(k) {
	case 1:
		return int64(*(*int8)(p))
	case 2:
		return int64(*(*int16)(p))
	case 4:
		return int64(*(*int32)(p))
	}
	return *(*int64)(p)
}

// unsigned returns a key that is an unsigned integer.
func unsigned[K comparable](k K) uint64 {
	p := unsafe.Pointer(&k)
	switch unsafe.Sizeof(k) {
	case 1:
		return uint64(*(*uint8)(p))
	case 2:
		return uint64(*(*uint16)(p))
	case 4:
		return uint64(*(*uint32)(p))
	}
	return *(*uint64)(p)
}

func parseInt[K comparable](s string) (k K, err error) {
	n, err := strconv.ParseInt(s, 10, 8*int(unsafe.Sizeof(k)))
	reflect.ValueOf(&k).Elem().SetInt(n)
	return k, err
}

func parseUint[K comparable](s string) (k K, err error) {
	n, err := strconv.ParseUint(s, 10, 8*int(unsafe.Sizeof(k)))
	reflect.ValueOf(&k).Elem().SetUint(n)
	return k, err
}

func marshal[K comparable](k K) (string, error) {
	text, err := any(k).(encoding.TextMarshaler).MarshalText()
	return string(text), err
}

func unmarshal[K comparable](s string) (k K, err error) {
	err = any(&k).(encoding.TextUnmarshaler).UnmarshalText([]byte(s))
	return k, err
}
