// Package cachemesh is a read-through cache that a service embeds. Its instances
// find each other by gossip, form one mesh, and the mesh is one cache over the
// service's own database, with explicit Set and Delete that are never stale: once one
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
// option that cannot be used; [KeyErrors] has one error a key.
//
// # Zero and for ever
//
// The zero of an option is its documented default. A TTL of zero in
// [GroupOptions] means until evicted; in [Group.Set] it means the group's TTL;
// from TTLFunc it means that the value is not kept. [Forever] is what never
// expires, wherever a TTL is wanted.
//
// # Concurrency and ownership
//
// All methods may be called from any goroutine. Values that are handed out are
// shared and read-only; what is handed in is copied, or must not be changed
// afterwards where a method says so.
package cachemesh
