package codec

import (
	"math"
	"reflect"
)

// sayer is a cachemesh.Sizer.
type sayer interface{ CacheSize() int }

// saysSize reports whether values of a type, or some of an interface's, are Sizers.
func saysSize(t reflect.Type) bool {
	s := reflect.TypeFor[sayer]()
	return t.Kind() == reflect.Interface || t.Implements(s) || reflect.PointerTo(t).Implements(s)
}

// Measure returns the bytes that a decoded value takes besides its own place. It
// reports false if that cannot be told.
func (f *Format[V]) Measure(v *V) (n int64, ok bool) {
	if f.saysSize {
		if n, ok = f.asked(v); ok {
			return n, true
		}
	}
	if f.flat {
		return 0, true
	}
	return measured(reflect.ValueOf(v).Elem())
}

// asked returns what a Sizer says.
func (f *Format[V]) asked(v *V) (n int64, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	s, ok := any(*v).(sayer)
	if !ok {
		s, ok = any(v).(sayer)
	}
	if !ok {
		return 0, false
	}
	said := s.CacheSize()
	return min(int64(said), math.MaxInt64/2), said >= 0
}
