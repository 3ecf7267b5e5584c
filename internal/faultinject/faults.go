// Package faultinject names the safeguards that a test may switch off to prove that its checker would notice their
// absence. Nothing outside this module can construct a Faults, so no user can lose a guarantee by accident.
package faultinject

// Faults lists the safeguards to leave out. The zero value, and a nil *Faults, leave out none. Whoever is given
// a *Faults reads it once, when it is made: changing it later has no effect.
type Faults struct {
	// IgnoreMark makes a holder of hot copies keep an answer although an invalidation overtook it.
	IgnoreMark bool

	// SkipInvalidation makes an owner answer a write without telling the holders of copies.
	SkipInvalidation bool

	// IgnoreFillToken makes an owner store a loaded value although the key was written during the load.
	IgnoreFillToken bool

	// DecideOnce makes an owner change a key on the strength of a look at it that was before it told the holders of copies.
	DecideOnce bool

	// IgnoreRemovals makes an owner store, and show, a loaded value although its tag or prefix was deleted during the load.
	IgnoreRemovals bool

	// SkipWriterDrain makes a member acknowledge a view while its Writer still runs for keys that it lost.
	SkipWriterDrain bool

	// KeepStandIn makes a stand-in keep for half a second what it loaded for an owner that it cannot reach.
	KeepStandIn bool

	// TooLargeUnreachable makes a caller take an answer that is too large to be sent for an owner that cannot be reached.
	TooLargeUnreachable bool

	// ClaimNumbers makes an owner tell claims apart by their number alone, which begins again when it restarts.
	ClaimNumbers bool

	// ClaimLookOnce makes an owner look at a claim's token only before copies are recalled for its value.
	ClaimLookOnce bool

	// JoinAtMember makes a GetOr join one that runs on the same member, without asking the owner.
	JoinAtMember bool

	// KeepClaims makes an owner go by claims that it granted before their keys were another's.
	KeepClaims bool

	// Replicas are those of copies.
	Replicas Replicas

	// Sessions are those of sessions and registrations.
	Sessions Sessions
}
