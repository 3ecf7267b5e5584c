package cachemesh

import (
	"encoding/json"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/owner"
)

// A Codec turns values into bytes and back. Its methods are called
// concurrently. Members of one mesh must use codecs that read each other's
// bytes; see GroupOptions.Codec.
type Codec[V any] interface {
	// Marshal returns the value's bytes. The cache keeps them: Marshal must not
	// touch them again.
	Marshal(v V) ([]byte, error)

	// Unmarshal returns the value of these bytes, which it must not change or
	// keep a reference to unless the value is read-only.
	Unmarshal(data []byte) (V, error)
}

// JSONCodec is the default codec of every type but []byte and string.
type JSONCodec[V any] struct{}

// Marshal returns v as JSON.
func (JSONCodec[V]) Marshal(v V) ([]byte, error) { return json.Marshal(v) }

// Unmarshal parses JSON.
func (JSONCodec[V]) Unmarshal(data []byte) (V, error) {
	var v V
	err := json.Unmarshal(data, &v)
	return v, err
}

// valueKind says how a group's values relate to their bytes.
type valueKind uint8

const (
	encodedKind valueKind = iota // a codec stands between; the decoded value is kept beside the bytes
	bytesKind                    // V is []byte: the bytes are the value
	stringKind                   // V is string: the bytes are the value
)

// format is a group's codec with the short cuts that V allows.
type format[V any] struct {
	kind  valueKind
	codec Codec[V]
	isNil func(V) bool // nil if a V is never nil
	size  int64        // bytes of a V itself, its referents aside

	// refers says that a V refers to memory that whoever has a copy of it can
	// change: then the cache keeps what the codec copied, not what it was given.
	refers bool

	// lossless says that the default codec gives back each value of the type: see
	// lossless.go.
	lossless bool

	flat     bool // a V refers to no other memory
	saysSize bool // a V may be a Sizer
}

func newFormat[V any](codec Codec[V]) format[V] {
	var zero V
	f := format[V]{codec: codec, isNil: nilCheck[V](), size: int64(unsafe.Sizeof(zero)), refers: refers(reflect.TypeFor[V]())}
	f.flat, f.saysSize = isFlat(reflect.TypeFor[V]()), saysSize(reflect.TypeFor[V]())
	if codec != nil {
		return f
	}
	switch any(zero).(type) {
	case []byte:
		f.kind = bytesKind
	case string:
		f.kind = stringKind
	default:
		f.codec, f.lossless = JSONCodec[V]{}, lossless(reflect.TypeFor[V]())
	}
	return f
}

// givesBack reports whether decoding these bytes gives the value that they were made of.
func (f *format[V]) givesBack(data []byte) bool { return f.lossless && !mangled(data) }

// nilCheck returns a test for values that a loader returns when it forgot to
// return something: those whose type has a nil. A nil slice or map is empty, and
// that is a value.
func nilCheck[V any]() func(V) bool {
	switch reflect.TypeFor[V]().Kind() {
	case reflect.Pointer, reflect.Func, reflect.Chan:
		return func(v V) bool { return reflect.ValueOf(v).IsNil() }
	case reflect.Interface:
		return func(v V) bool {
			r := reflect.ValueOf(v)
			switch r.Kind() {
			case reflect.Invalid:
				return true
			case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
				return r.IsNil()
			}
			return false
		}
	}
	return nil
}

// checkFormat refuses a type whose values JSON cannot give back.
func (o *GroupOptions[V]) checkFormat() error {
	if t := reflect.TypeFor[V](); o.Codec == nil && t.Kind() == reflect.Interface && t.NumMethod() > 0 {
		return errs.Option("Codec", nil, fmt.Errorf("values of type %v need one: JSON does not say which type an interface with methods holds", t))
	}
	return nil
}

// refers reports whether values of a type lead to memory that can be changed.
func refers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return refers(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if refers(f.Type) {
				return true
			}
		}
		return false
	}
	return t.Kind() > reflect.Complex128 && t.Kind() != reflect.String
}

// encode returns bytes that the cache may keep, whatever the caller does with v.
func (f *format[V]) encode(v V) ([]byte, error) {
	switch f.kind {
	case bytesKind:
		return append([]byte{}, *(*[]byte)(unsafe.Pointer(&v))...), nil
	case stringKind:
		return []byte(*(*string)(unsafe.Pointer(&v))), nil
	}
	data, err := f.marshal(v)
	if err != nil {
		return nil, fmt.Errorf("cachemesh: encode a %T: %w", v, guard.Seal(err, nil))
	}
	return data, nil
}

func (f *format[V]) marshal(v V) (data []byte, err error) {
	defer guard.Rescue(&err)
	return f.codec.Marshal(v)
}

func (f *format[V]) unmarshal(data []byte) (v V, err error) {
	defer guard.Rescue(&err)
	return f.codec.Unmarshal(data)
}

// decode returns the value of data, which nobody changes any more. Its error is an
// *owner.UnreadableError.
func (f *format[V]) decode(data []byte) (V, error) {
	switch f.kind {
	case bytesKind:
		data = data[:len(data):len(data)] // appending to a shared value must not reach the cache
		if data == nil {
			data = []byte{} // an empty value is the same on every member
		}
		return *(*V)(unsafe.Pointer(&data)), nil
	case stringKind:
		s := unsafe.String(unsafe.SliceData(data), len(data))
		return *(*V)(unsafe.Pointer(&s)), nil
	}
	v, err := f.unmarshal(data)
	if err != nil {
		return v, owner.AsUnreadable(fmt.Errorf("cachemesh: decode a %T: %w", v, guard.Seal(err, nil)))
	}
	return v, nil
}
