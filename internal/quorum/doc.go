// Package quorum decides which members of a mesh may go on serving and taking
// writes when it falls apart, and until when each of them may act. It has no
// clock, no network and no locks: whoever drives it passes in the time, carries
// what members say to each other, and serialises the calls.
//
// A member votes for a view by its own base, a view that all of its members
// voted for is a primary, and a right to act comes from a strict majority of a
// primary and ends by the holder's clock before any of those who gave it will
// serve without the holder.
//
//   - Base. A member's base is the last primary that settled there, and the views
//     that it voted for since. It votes for a view that has a majority of each.
//     The vote is numbered, and a member votes with a number once; so of two views
//     that could both be voted for, one has a voter of the other.
//   - Right. A member of a settled primary asks the others again and again. The
//     right lasts Config.Right from when a question was sent that a strict majority
//     said yes to. Each that says yes notes how long the asker may act: it waits.
//   - Waits. A member that gains keys owns them once every member that is not in
//     the view has certainly stopped. How long that takes is passed on with votes.
//   - Left out. A member that the others went on without drops what it holds
//     before it acts again.
//   - Minority. A member whose view holds no majority answers by loads and says
//     so to those who write. Half of a base of two is a minority that does not
//     refuse, for it cannot know more than the other half does.
//
// The method is dynamic voting with numbered primaries (Jajodia and Mutchler,
// Dynamic voting algorithms for maintaining the consistency of a replicated
// database, TODS 1990; Yeger Lotem, Keidar, Dolev, Dynamic voting for consistent
// primary components, PODC 1997), with leases (Gray and Cheriton, SOSP 1989).
package quorum
