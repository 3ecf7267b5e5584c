// Package owner holds the keys that this member owns, so that they never go back.
//
// A [Part] is what the member owns of one group. Its keys are in shards; a shard's lock is
// the order of its keys' history. Of a key there may be a lane, the loads that run or wait;
// a book, the leases on copies that others hold and the write that waits for them; a writing,
// the call of the Writer that has not returned; and a cohort, the Gets that share a load
// whose value is not stored.
//
// What holds: a load that began before a write is not stored after it, since the write takes
// the load's token back under the shard's lock. Nobody sees a new value while a copy of the
// former one may be served, since a write waits until every lease has been recalled or has
// lapsed. A member stores nothing of what it does not own by its view, which has package view.
//
// It calls the origin, by package origin, and no member: what it needs of those has
// [Others]. Methods with Locked in their name are called with the shard's lock held.
package owner
