package cachemesh

import (
	"fmt"
	"reflect"

	"github.com/praveenduddu/cachemesh/internal/codec"
	"github.com/praveenduddu/cachemesh/internal/errs"
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
func (JSONCodec[V]) Marshal(v V) ([]byte, error) { return codec.JSON[V]{}.Marshal(v) }

// Unmarshal parses JSON.
func (JSONCodec[V]) Unmarshal(data []byte) (V, error) { return codec.JSON[V]{}.Unmarshal(data) }

// checkFormat refuses a type whose values JSON cannot give back.
func (o *GroupOptions[V]) checkFormat() error {
	if t := reflect.TypeFor[V](); o.Codec == nil && t.Kind() == reflect.Interface && t.NumMethod() > 0 {
		return errs.Option("Codec", nil, fmt.Errorf("values of type %v need one: JSON does not say which type an interface with methods holds", t))
	}
	return nil
}

// A Sizer is a value that says how many bytes of memory it takes, with all that it
// refers to and nobody else has. The cache asks it once for each value that it decodes
// or loads, instead of measuring that, and charges MaxBytes with the answer; it must
// be right, or MaxBytes is no bound. A negative answer, or a panic, means that the
// value is measured after all. For values that share much, whose memory is not Go's, or
// that have locks: what is in a struct with a mutex may be changing, and is not measured.
// Only the group's values are asked, not their parts.
type Sizer interface {
	CacheSize() int
}
