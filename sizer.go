package cachemesh

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
