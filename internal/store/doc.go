// Package store holds the values that a member owns, within a budget of bytes.
//
// Nouns: an [Entry] is one key and its value. The index finds entries by key; it
// is the only thing that a Get believes. The window is the queue of the entries
// written last. The keeper is a ristretto cache that holds every older entry and
// chooses, by frequency of use, which of them to give up. In a store without a
// keeper, older entries are in the main area, and a sketch in each shard of the
// index knows how often keys were used.
//
//	Set ─► index + window ── oldest, when the window is full ──► keeper
//	Get ─► index                                                  │ victims,
//	         ▲                                                    │ refused
//	         └────────────── unlinked from the index ◄────────────┘
//
// Why not ristretto alone: it applies a Set some time after Set returned, keeps
// the first of two quick Sets, lets a queued Set come back after a delete, drops
// most new keys when it is full of hot ones, and lets updates pass its budget.
// Here the index changes at once and under one lock, and what ristretto decides,
// later and elsewhere, can only remove from the index the very entry that it was
// decided about. So the store may forget a value and never goes back to an older
// one.
//
// A keeper pays only for a store of some megabytes with entries of some hundred
// bytes: what ristretto takes for each entry is room that smaller ones would
// rather have. A store decides once, when its window is full for the first time.
// Without a keeper the whole budget is for a small window and the main area, where
// an entry that was not read since it was last looked at has to make room for one
// that leaves the window, if that was used more often lately:
//
//	Set ─► index + window ── oldest, if used more often ──► main area ◄─┐
//	                  │                                         │ oldest   │ read since
//	                  └─ if not                                 ├──────────┘
//	                       ▼                                    ▼
//	                    given up                             given up
//
// A store that has no keeper, or no use for it yet, has no goroutines.
//
// Caveats. Expired entries are never returned, but leave memory only as later
// calls come across them; they count against the budget until then. Replaced and
// deleted entries that ristretto held leave it a hundred at a time.
//
// Locks, in the order they are taken: Store.moving, Store.mu. Gets that hit take
// neither.
package store
