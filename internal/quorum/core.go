package quorum

// A Core is one member's part in deciding who may go on. Its methods must not be
// called concurrently. Times are nanoseconds on one monotonic clock.
//
// Its parts have methods of their own, and know nothing of each other.
type Core struct {
	company
	base
	absence
	taking
	rights
	expulsion

	handing bool  // values of former views are on their way: no vote yet
	mode    Mode  // how the view settled
	served  bool  // some view settled, ever
	leftOut bool  // others went on without this member
	freed   bool  // the vote for the view is yes because the rest of a base is released
	woke    int64 // answers to questions sent before are void
}

// New returns the part of a member that knows no view yet.
func New(cfg Config) *Core {
	return &Core{
		company: company{cfg: cfg}, absence: newAbsence(), taking: newTaking(), rights: rights{waits: make(map[string]int64)},
		expulsion: newExpulsion(cfg.Unreachable),
	}
}
