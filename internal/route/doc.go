// Package route decides who answers a key, and asks them.
//
// A [Router] is a group on this member: what it owns ([owner.Part]), the copies that it holds
// of what others own, and the ways to them. A Get is answered from memory, by the owner, which
// is this member or another, or, when nobody reaches that one, by a stand-in or a load here
// whose value is not stored. A Set or Delete is carried out at the owner, and tried again
// while the members do not agree who that is.
//
// A request of a peer never comes here: it is answered from what this member owns, or
// refused.
//
// What holds: a Set that may have been applied is not repeated, and nothing is kept of an
// answer but a hot copy.
//
// Caveats: a Router embeds the owner's Part, so its Load is the owner's; Get is the way in. What
// a hit returns is shared.
package route
