package codec

import (
	"bytes"
	text "encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// A value that a loader returned, or that was Set here, may be handed out beside what
// other members decode only if nobody can tell the two apart. Lossless decides that for
// the default codec, by the type; true means that JSON gives back each value, but for
// what mangled finds in the bytes. It knows little and says no to the rest.
func Lossless(t reflect.Type) bool { return losslessIn(t, nil) }

// losslessIn is lossless of a type within others: one that holds itself may be too deep
// for the decoder.
func losslessIn(t reflect.Type, within []reflect.Type) bool {
	if codes(t) || t == reflect.TypeFor[json.Number]() {
		return false
	}
	for _, outer := range within {
		if outer == t {
			return false
		}
	}
	within = append(within, t)
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64, reflect.String:
		return true
	case reflect.Array, reflect.Slice:
		return losslessIn(t.Elem(), within)
	case reflect.Map:
		return t.Key().Kind() != reflect.Interface && losslessIn(t.Key(), within) && losslessIn(t.Elem(), within)
	case reflect.Pointer:
		switch t.Elem().Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map: // nil comes back one level higher
			return false
		}
		return losslessIn(t.Elem(), within)
	case reflect.Struct:
		return losslessStruct(t, within)
	}
	return false
}

// losslessStruct wants exported fields, embedded ones aside, whose names are told apart.
func losslessStruct(t reflect.Type, within []reflect.Type) bool {
	names := make(map[string]bool)
	for f := range t.Fields() {
		tag, tagged := f.Tag.Lookup("json")
		name := f.Name
		if tagged && tag != "" {
			name = tag
		}
		if !f.IsExported() || f.Anonymous || name == "-" || strings.ContainsFunc(name, notInName) || names[name] || !losslessIn(f.Type, within) {
			return false
		}
		names[name] = true
	}
	return true
}

// Unfit says why JSON keeps nothing of a type's values: it cannot write them, or writes {} for each.
// nil: it keeps something, or the type does not tell.
func Unfit(t reflect.Type) error {
	for range maxNested {
		if codes(t) {
			return nil
		}
		switch t.Kind() {
		case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
			return fmt.Errorf("JSON cannot write a %v", t)
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			t = t.Elem()
			continue
		case reflect.Struct:
			if t.NumField() == 0 {
				return nil
			}
			for f := range t.Fields() {
				if f.IsExported() || f.Anonymous {
					return nil
				}
			}
			return fmt.Errorf("JSON keeps exported fields alone, and a %v has none", t)
		}
		return nil
	}
	return nil
}

const maxNested = 8 // a type may be made of itself

// notInName is true of characters that the name in a field's tag may not have, and of
// the comma before options.
func notInName(r rune) bool {
	return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// codes reports whether a type has a say in how JSON writes or reads it.
func codes(t reflect.Type) bool {
	p := reflect.PointerTo(t) // it has the methods of both
	for _, i := range []reflect.Type{
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
		reflect.TypeFor[text.TextMarshaler](), reflect.TypeFor[text.TextUnmarshaler](),
	} {
		if t.Implements(i) || p.Implements(i) {
			return true
		}
	}
	return false
}

// mangled reports whether JSON may have replaced bytes of a string that are no UTF-8.
func mangled(data []byte) bool {
	return bytes.Contains(data, []byte(`\ufffd`)) || bytes.Contains(data, []byte("\ufffd"))
}
