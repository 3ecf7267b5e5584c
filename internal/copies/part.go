package copies

// A Part is this member's part in the copies of a group's values. Its methods are called
// concurrently.
type Part struct {
	guarded
	leaving
	writes
	server
	mender
}

// New returns a part that has no view yet.
func New(b Basis) *Part {
	c := new(Part)
	c.guarded.init(b)
	a := asks{&c.guarded, new(spans)}
	c.leaving.guarded, c.writes.asks, c.server.guarded = &c.guarded, a, &c.guarded
	c.mender.digests = digests{asks: a, asking: make(map[string]bool)}
	c.guarded.mend = c.mender.mend
	return c
}
