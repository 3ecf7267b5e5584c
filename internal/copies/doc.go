// Package copies keeps copies of a group's values: of this member's own keys on other members,
// and here of others'. It connects a replica.Core, which decides, to the store, the clock and
// the other members.
//
// A [Part] is one member's in one group. It stands in layers, each of which knows only what is
// below: the core with its lock; over that who asks others, and beside each other on it
// writes, digests, and the mender, which makes the copies that are missing; beside them the
// server, which answers others.
//
// What holds: all that changes the store of a group with copies does so with the core's lock
// held, but for what takes nothing away or puts another entry of the same value in the place
// of one. An entry is shown while its Epoch is that of the view: so hits need no lock, and a
// change of view hides everything until somebody asks.
//
// Caveats: the lock is taken inside a shard's and the mandate's; nobody is called under it.
package copies
