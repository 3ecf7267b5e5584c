package work

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/bench/timer"
)

// A Pace says how to drive a system at a steady rate, as its users would: the next
// operation comes whether or not those before it have been answered.
type Pace struct {
	Rate     int // operations a second
	Callers  int // who do them; one that comes while all are busy waits, and that counts
	Duration time.Duration
	Items    []*Item // in turn
	First    int     // of Items, where the first operation is
}

// tolerance is how late an operation may begin by the timer's fault, or that of the
// machine's scheduler. One that begins later is timed from when it was due.
const tolerance = 200 * time.Microsecond

// slot is how far apart operations are at least; at high rates several come at once. Waking a
// process costs tens of microseconds of processor time, which is not the cache's.
const slot = 250 * time.Microsecond

// grace is for what is due at the very end.
const grace = 50 * time.Millisecond

// ticks are the points in time at which operations are due. One caller at a time waits for
// the next one; then it lets another wait, and does the operation.
type ticks struct {
	turn  chan struct{} // holds one while nobody waits; who took it has what follows
	timer *timer.Timer
	next  int

	start time.Time
	every time.Duration
	n     int
}

// wait waits for the next tick, and returns its number and when it was due. It returns false
// if there is none, or the time is over: what nobody has begun by then is not begun.
func (t *ticks) wait() (n int, due time.Time, ok bool) {
	<-t.turn
	defer func() { t.turn <- struct{}{} }()
	if t.next == t.n || time.Since(t.start) > time.Duration(t.n)*t.every+grace {
		return 0, due, false
	}
	n, t.next = t.next, t.next+1
	due = t.due(n)
	t.timer.Until(due)
	return n, due, true
}

// due returns when a tick is due: at the end of the slot that it is in.
func (t *ticks) due(n int) time.Time {
	at := time.Duration(n)*t.every + slot - 1
	return t.start.Add(at - at%slot)
}

// RunPaced drives op at a steady rate. Its result counts what was not begun as missed, with
// the time that it waited for in the latencies.
func RunPaced(ctx context.Context, p Pace, op Op) (*Result, error) {
	tm, err := timer.New()
	if err != nil {
		return nil, err
	}
	defer tm.Close()
	every := time.Second / time.Duration(p.Rate)
	t := &ticks{turn: make(chan struct{}, 1), timer: tm, every: every, n: int(p.Duration / every)}
	callers := make([]Caller, p.Callers)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	t.start = time.Now()
	t.turn <- struct{}{}
	var wg sync.WaitGroup
	for i := range callers {
		c := &callers[i]
		c.Index = i
		wg.Go(func() { c.paced(ctx, t, p, op) })
	}
	wg.Wait()
	end := time.Now()
	runtime.ReadMemStats(&after)
	r := &Result{Elapsed: end.Sub(t.start), Mallocs: after.Mallocs - before.Mallocs}
	for i := range callers {
		r.add(&callers[i], 1)
	}
	for ; t.next < t.n; t.next++ {
		r.Missed++
		r.Latency.Record(end.Sub(t.due(t.next)))
	}
	r.Latency.Pack()
	return r, nil
}

// paced does the operations that are due.
func (c *Caller) paced(ctx context.Context, t *ticks, p Pace, op Op) {
	for ctx.Err() == nil {
		n, due, ok := t.wait()
		if !ok {
			return
		}
		began := time.Now()
		if began.Sub(due) > tolerance {
			began = due
			c.late++
		}
		c.write = false
		err := op(ctx, c, p.Items[(p.First+n)%len(p.Items)])
		if !c.write {
			c.gets++
			c.hist.Record(time.Since(began))
		}
		c.count(err)
	}
}
