package codec

import (
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// The bounds of what is measured. A value beyond them is kept as bytes only, and
// decoded by each hit.
const (
	measureNodes = 1 << 20
	measureDepth = 1000
)

// A ruler adds up the memory that a value refers to: what the allocator gives for
// strings, capacities of slices, maps with their tables, what is boxed in interfaces.
// Memory that is reached twice by pointers or maps counts once, so cycles end.
type ruler struct {
	bytes int64
	nodes int // that may still be looked at
	lost  bool
	seen  map[visit]struct{}

	// frozen says that what it finds may belong to others, who may be changing it:
	// whatever has a map, a channel or a function cannot be measured then.
	frozen bool
}

// A visit is where something of a type is: what is larger may begin there, too.
type visit struct {
	at unsafe.Pointer
	t  reflect.Type
}

// measured returns the bytes of memory that a value refers to, its own place aside. It
// reports false if that cannot be told. The value must be reached by a pointer.
func measured(v reflect.Value) (n int64, ok bool) {
	r := ruler{nodes: measureNodes}
	return r.measure(v)
}

func (r *ruler) measure(v reflect.Value) (n int64, ok bool) {
	defer func() {
		if recover() != nil { // reflect does not like it
			ok = false
		}
	}()
	r.walk(v, 0)
	return r.bytes, !r.lost
}

func (r *ruler) add(n int64) { r.bytes += store.Allocated(n) }

func (r *ruler) isNew(v reflect.Value) bool {
	p := visit{v.UnsafePointer(), v.Type()}
	if _, met := r.seen[p]; met {
		return false
	}
	if r.seen == nil {
		r.seen = make(map[visit]struct{})
	}
	r.seen[p] = struct{}{}
	return true
}

func (r *ruler) walk(v reflect.Value, depth int) {
	if r.lost || isFlat(v.Type()) {
		return
	}
	if r.nodes--; r.nodes < 0 || depth > measureDepth {
		r.lost = true
		return
	}
	switch depth++; v.Kind() {
	case reflect.String:
		r.add(int64(v.Len()))
	case reflect.Slice:
		r.add(int64(v.Cap()) * int64(v.Type().Elem().Size()))
		if !isFlat(v.Type().Elem()) {
			r.elements(v, depth) // behind its end another goroutine may write what is its own
		}
	case reflect.Array:
		r.elements(v, depth)
	case reflect.Struct:
		r.fields(v, depth)
	case reflect.Map:
		r.table(v, depth)
	case reflect.Pointer:
		if v.Type() == locationType {
			r.location(v)
		} else if !v.IsNil() && r.isNew(v) {
			r.add(int64(v.Type().Elem().Size()))
			r.walk(v.Elem(), depth)
		}
	case reflect.Interface:
		if v = v.Elem(); !v.IsValid() {
			return
		}
		switch v.Kind() {
		case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer: // it is the interface's second word
		default:
			r.add(int64(v.Type().Size()))
		}
		r.walk(v, depth)
	case reflect.Chan:
		r.lost = r.lost || r.frozen
		r.add(int64(v.Cap()) * int64(v.Type().Elem().Size()))
	case reflect.Func:
		r.lost = r.lost || r.frozen
	}
}

// locationBytes is what a time zone takes that a time brought along: a name and an offset.
const locationBytes = 192

var locationType = reflect.TypeFor[*time.Location]()

// location measures a time's zone. Those with tables of many years, as this machine's,
// are everybody's.
func (r *ruler) location(v reflect.Value) {
	if !v.IsNil() && v.UnsafePointer() != unsafe.Pointer(time.Local) && r.isNew(v) {
		r.add(locationBytes)
	}
}

func (r *ruler) elements(v reflect.Value, depth int) {
	for i := 0; i < v.Len() && !r.lost; i++ {
		r.walk(v.Index(i), depth)
	}
}

// fields measures a struct. Its unexported fields, too: they are read by their place.
func (r *ruler) fields(v reflect.Value, depth int) {
	if isGuarded(v.Type()) {
		r.lost = r.lost || r.frozen
		return
	}
	if !v.CanAddr() {
		place := reflect.New(v.Type()).Elem()
		place.Set(v)
		v = place
	}
	for i := range v.NumField() {
		if f := v.Field(i); !isFlat(f.Type()) {
			r.walk(reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem(), depth)
		}
	}
}

// table measures a map.
func (r *ruler) table(v reflect.Value, depth int) {
	if r.frozen {
		r.lost = true
	}
	if r.lost || v.IsNil() || !r.isNew(v) {
		return
	}
	key, elem := v.Type().Key(), v.Type().Elem()
	r.bytes += mapBytes(int64(v.Len()), int64(key.Size()), int64(elem.Size()))
	if isFlat(key) && isFlat(elem) {
		return
	}
	k, e := reflect.New(key).Elem(), reflect.New(elem).Elem()
	for at := v.MapRange(); at.Next() && !r.lost; {
		k.SetIterKey(at)
		r.walk(k, depth)
		e.SetIterValue(at)
		r.walk(e, depth)
	}
}

// mapBytes is what a map takes that has grown to n entries: groups of eight slots with
// a word for all, in tables of at most 128 groups, filled to seven eighths at most.
// See internal/runtime/maps in the Go distribution.
func mapBytes(n, key, elem int64) int64 {
	const header, table, inSlot = 48, 32, 128
	if n == 0 {
		return header
	}
	apart := int64(0) // large keys and values are not in their slot
	for _, size := range []*int64{&key, &elem} {
		if *size > inSlot {
			apart += n * store.Allocated(*size)
			*size = 8
		}
	}
	group := 8 + 8*((key+7)/8*8+(elem+7)/8*8)
	if n <= 8 {
		return header + apart + store.Allocated(group)
	}
	groups := int64(2)
	for groups*7 < n {
		groups *= 2
	}
	if groups <= 128 {
		return header + apart + 8 + table + store.Allocated(groups*group)
	}
	// Full tables are cut in two one by one: they are between half full and full.
	groups = n * 100 / (8 * 61)
	return header + apart + groups*(table+8)/128 + groups*group
}

var flatTypes sync.Map // reflect.Type → bool; as many as the program has

// isFlat reports whether the values of a type refer to no other memory.
func isFlat(t reflect.Type) bool {
	if k := t.Kind(); k <= reflect.Complex128 {
		return true
	} else if k != reflect.Array && k != reflect.Struct {
		return false
	}
	if known, ok := flatTypes.Load(t); ok {
		return known.(bool)
	}
	flat := t.Kind() == reflect.Struct || t.Len() == 0 || isFlat(t.Elem())
	if t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			flat = flat && isFlat(f.Type)
		}
	}
	flatTypes.Store(t, flat)
	return flat
}

var guardedTypes sync.Map // reflect.Type → bool

// isGuarded reports whether others may be changing a struct: it has a lock or an atomic,
// or is one. To look at its maps and slices then could end the process.
func isGuarded(t reflect.Type) bool {
	if known, ok := guardedTypes.Load(t); ok {
		return known.(bool)
	}
	guarded := isOfSync(t)
	for f := range t.Fields() {
		guarded = guarded || isOfSync(f.Type)
	}
	guardedTypes.Store(t, guarded)
	return guarded
}

func isOfSync(t reflect.Type) bool { return t.PkgPath() == "sync" || t.PkgPath() == "sync/atomic" }

// failedNodes is how many parts of an error are looked at.
const failedNodes = 256

// ErrorSize returns what an error takes. It reports false if that cannot be told.
func ErrorSize(err error) (n int64, ok bool) {
	r := ruler{nodes: failedNodes, frozen: true}
	return r.measure(reflect.ValueOf(&err).Elem())
}
