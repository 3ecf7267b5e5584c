package cachemesh

import (
	"math"
	"reflect"
)

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

// saysSize reports whether values of a type, or some of an interface's, are Sizers.
func saysSize(t reflect.Type) bool {
	s := reflect.TypeFor[Sizer]()
	return t.Kind() == reflect.Interface || t.Implements(s) || reflect.PointerTo(t).Implements(s)
}

// measure returns the bytes that a decoded value takes besides its own place. It
// reports false if that cannot be told.
func (f *format[V]) measure(v *V) (n int64, ok bool) {
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
func (f *format[V]) asked(v *V) (n int64, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	s, ok := any(*v).(Sizer)
	if !ok {
		s, ok = any(v).(Sizer)
	}
	if !ok {
		return 0, false
	}
	said := s.CacheSize()
	return min(int64(said), math.MaxInt64/2), said >= 0
}
