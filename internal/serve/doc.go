// Package serve answers peers from what this member owns of a group. A request that comes to
// the wrong member is refused, with the address of the owner as this one sees it; it is
// never passed on, so two members that disagree cannot wait for each other.
//
// A [Server] answers at once what needs no waiting ([Server.Fast]), on the goroutine that read
// the request, and the rest on goroutines of their own ([Server.Serve]).
//
// What holds: nothing is answered that this member has no right to say by its view and its clock.
//
// Caveats: Fast runs on the goroutine that reads a connection, and must never wait. Requests alias
// the connection's buffer: what outlives the answer is copied.
package serve
