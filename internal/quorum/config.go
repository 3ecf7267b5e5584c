package quorum

// Config says how a member takes part.
type Config struct {
	Self  Member
	Right int64 // nanoseconds that a right to act lasts from when the question was sent
	Lease int64 // nanoseconds for which copies of what this member owns may be served after it granted them, or a session

	// Unreachable is how long a member must not have been reached, in nanoseconds,
	// before this one says so.
	Unreachable int64

	// ForgetAfter is how long a member must be missing before a view as large as
	// the one it is missing from does without it; see released. 0: for ever.
	ForgetAfter int64
}

// drift lengthens what a member waits, for clocks that do not run alike.
func drift(d int64) int64 { return d + d/64 }

const (
	// Forever is the right of a member that needs nobody's.
	Forever = int64(1) << 62

	maxTried  = 64  // views voted for since a primary settled
	maxWaits  = 512 // members that are waited for
	maxListed = 32  // names in each list of a Word

	// maxStep is how far a number that is heard may be ahead of all that are known.
	// Meshes that meet differ by the changes that they have seen; a greater one is a
	// mistake, and to vote with it would leave the others none to go on with.
	maxStep = 1 << 32
)
