// Package hotcache holds bounded copies of keys that other members own, as many as are worth their room.
//
// A hot copy is a value that its owner has registered: it tells this member before a write of the key is answered, as long as the
// session between the two stands. The [Cache] is the holder's side of
// that promise. It is pure bookkeeping: it starts no goroutine, calls nobody and reads no clock. Every time it is given
// is in nanoseconds on one monotonic clock of the caller.
//
// The way of a read, in the order of the calls:
//
//	e, due := c.Hit(hash, key, now)            // a hit; due says what is to be done in the background
//	want := c.Touch(hash, now)                 // a miss: is a copy worth it?
//	f := c.Begin(hash, key)                    // if so, before the request is sent
//	f.Keep(entry, grant, now)                  // the answer came with a registration
//	f.Drop()                                   // or it did not
//
// # What holds
//
// When Invalidate, InvalidateAll or Retain returns, no Get that starts later returns a copy they were to remove, and
// no fetch that began before they were called keeps one. Copies and bookkeeping never take more than MaxBytes.
//
// # How
//
// Copies lie in a table of sets, each one cache line of pointers. Readers take no lock: a copy is immutable and is
// checked in full (hash, key, time) after its pointer was read. Writers lock the stripe of the set. A stripe also counts
// its invalidations: Begin reads the count, and Keep publishes only if it still stands, under the stripe's lock. So the
// books on fetches in flight are a number for each stripe, which nobody can leak and no load can grow.
// A stripe serves many keys, so an invalidation may cost a fetch of another key its copy. That is never wrong: the
// answer is as good as before, it is only not kept.
//
// Caveats: a copy leaves memory when a write, Sweep or a Keep that needs the room meets it, not at the moment it ends. One whose
// session has lapsed stays, and is served again when that is renewed.
// Entries are shared with readers, so what a reader still holds lives on outside the budget.
package hotcache
