package kit

import "runtime"

// HeapBytes returns what is in use of the heap, after a collection.
func HeapBytes() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
