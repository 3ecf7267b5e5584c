package codec

import (
	"reflect"
	"strings"
)

// Own returns a copy of a value of a lossless type that shares no memory with it: a
// loader's strings may be parts of a document, its slices of an array, and a cached
// value would keep all of that. It costs a tenth of decoding the value instead.
func (f *Format[V]) Own(v V) V {
	if f.flat {
		return v
	}
	var c V
	cloneInto(reflect.ValueOf(&c).Elem(), reflect.ValueOf(&v).Elem())
	return c
}

// cloneInto copies what losslessIn allows: exported fields, no interfaces, and no type
// within itself, so that it ends.
func cloneInto(to, from reflect.Value) {
	if isFlat(from.Type()) {
		to.Set(from)
		return
	}
	switch from.Kind() {
	case reflect.String:
		to.SetString(strings.Clone(from.String()))
	case reflect.Struct:
		for i := range from.NumField() {
			cloneInto(to.Field(i), from.Field(i))
		}
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			cloneInto(to.Elem(), from.Elem())
		}
	case reflect.Slice:
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
			cloneElements(to, from)
		}
	case reflect.Array:
		cloneElements(to, from)
	case reflect.Map:
		if !from.IsNil() {
			cloneMap(to, from)
		}
	}
}

func cloneElements(to, from reflect.Value) {
	if isFlat(from.Type().Elem()) {
		reflect.Copy(to, from)
		return
	}
	for i := range from.Len() {
		cloneInto(to.Index(i), from.Index(i))
	}
}

func cloneMap(to, from reflect.Value) {
	t := from.Type()
	to.Set(reflect.MakeMapWithSize(t, from.Len()))
	for at := from.MapRange(); at.Next(); {
		k, e := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		cloneInto(k, at.Key())
		cloneInto(e, at.Value())
		to.SetMapIndex(k, e)
	}
}
