package codec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
)

// A coder is a cachemesh.Codec.
type coder[V any] interface {
	Marshal(v V) ([]byte, error)
	Unmarshal(data []byte) (V, error)
}

// JSON is the coder of who has no other.
type JSON[V any] struct{}

// Marshal returns v as JSON.
func (JSON[V]) Marshal(v V) ([]byte, error) { return json.Marshal(v) }

// Unmarshal parses JSON.
func (JSON[V]) Unmarshal(data []byte) (v V, err error) {
	err = json.Unmarshal(data, &v)
	return v, err
}

// Kind says how a group's values relate to their bytes.
type Kind uint8

const (
	EncodedKind Kind = iota // a codec stands between; the decoded value is kept beside the bytes
	bytesKind               // V is []byte: the bytes are the value
	stringKind              // V is string: the bytes are the value
)

// Format is a group's codec with the short cuts that V allows.
type Format[V any] struct {
	Kind  Kind
	codec coder[V]
	IsNil func(V) bool // nil if a V is never nil
	Size  int64        // bytes of a V itself, its referents aside

	// refers says that a V refers to memory that whoever has a copy of it can
	// change: then the cache keeps what the codec copied, not what it was given.
	Refers bool

	// lossless says that the default codec gives back each value of the type: see
	// lossless.go.
	lossless bool

	flat     bool // a V refers to no other memory
	saysSize bool // a V may be a Sizer
}

// New returns the format of a group whose values a codec turns into bytes; nil: JSON, or
// nothing where V is []byte or string.
func New[V any](codec coder[V]) Format[V] {
	var zero V
	f := Format[V]{codec: codec, IsNil: nilCheck[V](), Size: int64(unsafe.Sizeof(zero)), Refers: refers(reflect.TypeFor[V]())}
	f.flat, f.saysSize = isFlat(reflect.TypeFor[V]()), saysSize(reflect.TypeFor[V]())
	if codec != nil {
		return f
	}
	switch any(zero).(type) {
	case []byte:
		f.Kind = bytesKind
	case string:
		f.Kind = stringKind
	default:
		f.codec, f.lossless = JSON[V]{}, Lossless(reflect.TypeFor[V]())
	}
	return f
}

// GivesBack reports whether decoding these bytes gives the value that they were made of.
func (f *Format[V]) GivesBack(data []byte) bool { return f.lossless && !mangled(data) }

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

// Encode returns bytes that the cache may keep, whatever the caller does with v.
func (f *Format[V]) Encode(v V) ([]byte, error) {
	switch f.Kind {
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

func (f *Format[V]) marshal(v V) (data []byte, err error) {
	defer guard.Rescue(&err)
	return f.codec.Marshal(v)
}

func (f *Format[V]) unmarshal(data []byte) (v V, err error) {
	defer guard.Rescue(&err)
	return f.codec.Unmarshal(data)
}

// Decode returns the value of data, which nobody changes any more. Its error is an
// *errs.UnreadableError.
func (f *Format[V]) Decode(data []byte) (V, error) {
	switch f.Kind {
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
		return v, errs.AsUnreadable(fmt.Errorf("cachemesh: decode a %T: %w", v, guard.Seal(err, nil)))
	}
	return v, nil
}
