package httppool

import (
	"runtime"
	"time"
)

// watched is a connection that watchLoop looks at now and then.
type watched interface{ look(now time.Time) }

// watch is what watchLoop remembers of a connection; only its goroutine uses it.
type watch struct {
	reads, writes, calls uint64
	heard                time.Time // when the peer last sent something, or owed nothing
	wrote                time.Time // when a write last finished, or none was under way
	used                 time.Time // when a call was last under way
	pinged               bool

	// Of a callConn, for Config.Patience.
	quiet    time.Duration // for which the peer owed answers and was seen to say nothing
	bytesOut uint64
}

// watchSteps is how often in Config.Patience connections are looked at: a ping is sent
// at the first look at which nothing came, and has the other steps to be answered.
const watchSteps = 4

// watchEvery is the time between two looks at the open connections while somebody waits for a peer.
func (c *Config) watchEvery() time.Duration {
	every := min(min(c.SilenceTimeout, c.IdleTimeout)/8, time.Second)
	if c.Patience > 0 {
		every = min(every, c.Patience/watchSteps)
	}
	return max(every, time.Millisecond)
}

// watchIdle is the time between two looks while nobody does.
func (c *Config) watchIdle() time.Duration {
	return max(min(c.IdleTimeout/8, time.Second), c.watchEvery())
}

// noteStarving notes whether goroutines that are ready have to wait for long: then an
// answer may have come that nobody has read.
func (p *core) noteStarving(every time.Duration) {
	began := time.Now()
	runtime.Gosched()
	runtime.Gosched()
	if time.Since(began) > every/2 {
		p.starving.Store(2)
	} else if left := p.starving.Load(); left > 0 {
		p.starving.Store(left - 1)
	}
}
