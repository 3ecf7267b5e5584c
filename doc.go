// Package cachemesh is a read-through cache that a service embeds. Its instances
// find each other by gossip, form one mesh, and the mesh is one cache over the
// service's own database, with explicit Set and Delete that hold everywhere: once one
// has returned nil, no instance that sees most of the others serves what was there before.
//
// A [Node] is one instance's member of the mesh: [New], [Node.Start],
// [Node.Shutdown]. A [Group] is a named set of typed keys with a loader, made by
// [NewGroup] on every instance under the same name:
//
//	users, err := cachemesh.NewGroup(node, "users", loadUser, cachemesh.GroupOptions[User]{TTL: time.Minute})
//	u, err := users.Get(ctx, "42")    // from memory, from the key's owner, or by loadUser, once in the mesh
//	err = users.Delete(ctx, "42")     // when it returns nil no member of the majority serves the old value
//
// Each key has one owner, found by consistent hashing. A Get that the instance's
// own memory does not answer is one call to the owner, which loads the value if it
// has none. A nil loader makes a distributed map.
//
// # Errors
//
// What callers branch on are sentinels, for errors.Is: [ErrNotFound], [ErrClosed],
// [ErrMinority] and others. What they inspect are types, for errors.As:
// [*LoadError] and [*WriteError] carry what a loader or Writer returned, on any
// member; [*PeerError] says that a call failed, and whether a write may have been
// applied; [*StaleError] comes together with a value; [*OptionError] names the
// option that cannot be used; [KeyErrors] has one error a key, and errors.Is and errors.As reach
// through it.
//
// # Zero and for ever
//
// [Forever] is what never expires, wherever a TTL is wanted; a negative TTL is an error, but
// from a function, where it means what zero means. What zero means:
//
//	GroupOptions.TTL                    Forever: until evicted
//	TTLFunc's result, KeepFor           the value is not kept
//	Set, SetMany, SetIf, Update         the group's TTLFunc, else its TTL
//	Fill of a Claim                     the same
//	Increment, for a new key            the group's TTL
//	Touch                               an error: say for how long
//	Node.Set                            Forever
//	NotFoundTTL, FailureTTL             nothing is remembered
//	RefreshAfter, RefreshPart           no value is loaded ahead
//	StaleFor                            nothing is served stale
//	StaleWait                           250 ms, with StaleFor; Forever waits for the load
//	BatchWindow                         single loads do not wait
//	TTLJitter                           TTLs are exact
//	MaxLoads                            no bound
//	LoadTimeout, MaxQueued, HotReads    their defaults: 30 s, 16384, 3
//	MaxBytes, MaxValueBytes             their defaults: 64 MiB, 16 MiB
//	TotalBytes                          no bound over all groups
//	times in Options                    their defaults
//
// In what is returned, [Meta] and [ScanItem], a value without an end has a TTL of Forever. Options
// that act on TTLs (StaleFor, TTLJitter, RefreshPart) are refused where no value has one: by an
// [*OptionError]. If the loader gives them, by [KeepFor], a TTL of Forever says so.
//
// # Stale, and old
//
// A stale value is one whose TTL has passed and which is returned all the same, because the origin
// has failed or is slow: where GroupOptions.StaleFor allows that, and never without a word, a
// [*StaleError] or a call of GroupOptions.OnStale. An old value is one from before a Set or Delete: Fresh means
// that none is served.
//
// # Concurrency and ownership
//
// All methods may be called from any goroutine. Values that are handed out are
// shared and read-only; what is handed in is copied, or must not be changed
// afterwards where a method says so.
package cachemesh
