// Package groups is a member's groups without their types: under which names they are
// registered, how one is made, what it may take of the member's memory, what becomes of all
// of them when the view changes or the node ends, and how one is closed and what it leaves.
//
// The nouns: a Core is a group without its type, and a Registry is the node's cores, found
// by name. A Core that is closed is cut first, from when on it answers nobody and holds
// nothing, and then removed. A retired one has left something under its name: values
// that are parked, or keys that it owes to the majority.
//
// What holds: of a name there is one core in the table at most, from before its loader may
// run for a peer until nothing of it can be served here. Budgets never add up to more than
// Options.TotalBytes. What a name owes is owed by somebody until it is paid.
//
// Locks: Registry.mu before that of handover.Parking; the settler's, under which views are
// adopted, before both. Looking a group up takes none.
package groups
