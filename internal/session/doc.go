// Package session is what stands between one run of an owner of keys and one run of a holder of
// copies of them: volume leases (Yin, Alvisi, Dahlin, Lin: Volume Leases for Consistency in
// Large-Scale Systems, TKDE 1999; Gray and Cheriton: Leases, SOSP 1989).
//
// A copy has no time of its own. It is served as long as the session stands under which it was
// granted, and a session stands for all copies that a holder has of an owner, in all groups. At the
// owner it is a [Session] of its [Granted], to which registrations of copies point by a [Slot]; at
// the holder it is a [Held] of its [Holder], to which the copies point.
//
// What holds: while a holder serves a copy by a session, its owner counts the session as one that
// may serve. Only a renewal extends a session: at the holder to when it was sent and the term, at
// the owner to when it was received, the term, and a thirty-second of it, for clocks that drift. A
// session that has lapsed stands again with the next renewal, unless its owner broke it: whoever
// changes something without a holder's acknowledgement, because its session has lapsed, breaks it
// in the same step. What must not be renewed any more is ended, and counts until it lapses. A
// number is given once.
//
// Caveats: all times are nanoseconds of the clock of the member that is asked. A suspended machine's
// clock may stand still: see [Holder.KillAll].
package session
