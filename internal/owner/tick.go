package owner

// A tick is a time in units of 2^20 ns, modulo 2^32, which are 52 days. 0: never.
type tick uint32

const tickShift = 20

// endOf returns the tick at which a value has ended that ends at a time; 0: never, or so late that
// it cannot be told.
func endOf(until, now int64) tick {
	if until == 0 || until-now >= 1<<(30+tickShift) {
		return 0
	}
	return max(tick(until>>tickShift)+1, 1)
}

// isOver reports whether the time has come.
func (t tick) isOver(now int64) bool { return t != 0 && int32(tick(now>>tickShift)-t) >= 0 }

// later returns the later of two ends.
func (t tick) later(than tick) tick {
	if t == 0 || than == 0 {
		return 0
	}
	if int32(t-than) > 0 {
		return t
	}
	return than
}
