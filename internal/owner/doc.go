// Package owner holds the keys that this member owns, so that they never go back.
//
// A [Part] is what the member owns of one group. Its keys are in shards; a shard's lock is
// the order of its keys' history. Of a key there may be a lane, the loads that run or wait;
// a registry, who has copies, and reservations, the writes that wait for them; a writing,
// the call of the Writer that has not returned; and a cohort, the Gets that share a load
// whose value is not stored.
//
// What holds: a load that began before a write is not stored after it, since the write takes
// the load's token back under the shard's lock. Nobody sees a new value while a copy of the
// former one may be served, since a write waits until every copy has been recalled or its session has
// lapsed. A member stores nothing of what it does not own by its view, which has package view.
//
// A part's types stand one on the other, and each knows only what is below. The memory is the
// store and what is remembered of what it has not; keys are memory and shards, and change under
// a shard's lock; loads are flights over keys: loads.go says what is next for a key, as a value,
// and run.go does it, so that what ends a load, a recall or a write need not know how the next
// load begins. On loads stand those who wait for them, loads that are not stored, and writes.
//
// It calls the origin, by package origin, and no member: what it needs of those has
// [Others]. Methods with Locked in their name are called with the shard's lock held.
//
// Caveats: a hit takes no lock, and may return what a write that has not returned yet replaces.
// What is stored is shared with every reader. A field that an upper type shows may be one of the
// lower: they are embedded.
package owner
