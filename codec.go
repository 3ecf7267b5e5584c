package cachemesh

import (
	"encoding/json"
	"fmt"
	"reflect"

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
func (JSONCodec[V]) Marshal(v V) ([]byte, error) { return json.Marshal(v) }

// Unmarshal parses JSON.
func (JSONCodec[V]) Unmarshal(data []byte) (V, error) {
	var v V
	err := json.Unmarshal(data, &v)
	return v, err
}

// checkFormat refuses a type whose values JSON cannot give back.
func (o *GroupOptions[V]) checkFormat() error {
	if t := reflect.TypeFor[V](); o.Codec == nil && t.Kind() == reflect.Interface && t.NumMethod() > 0 {
		return errs.Option("Codec", nil, fmt.Errorf("values of type %v need one: JSON does not say which type an interface with methods holds", t))
	}
	return nil
}
