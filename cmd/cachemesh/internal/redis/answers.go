package redis

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/resp"
)

const (
	errSyntax  = "ERR syntax error"
	errInteger = "ERR value is not an integer or out of range"
)

// answers are how commands answer.
type answers struct{ w *resp.Writer }

// value writes what a Get brought.
func (c *answers) value(v []byte, err error) {
	switch {
	case err == nil:
		c.w.Bulk(v)
	case errors.Is(err, cachemesh.ErrNotFound):
		c.w.Null()
	default:
		c.fail(err)
	}
}

// fail writes an error of the library's. Its first word says what a client may do.
func (c *answers) fail(err error) {
	text := strings.TrimPrefix(err.Error(), "cachemesh: ")
	var peer *cachemesh.PeerError
	applied := errors.As(err, &peer) && peer.MaybeApplied
	switch {
	case errors.Is(err, cachemesh.ErrNotInteger):
		c.w.Error(errInteger)
	case errors.Is(err, cachemesh.ErrOverflow):
		c.w.Error("ERR increment or decrement would overflow")
	case isLoadError(err):
		c.w.Error("LOADFAILED " + text)
	case errors.Is(err, cachemesh.ErrMinority):
		c.w.Error("NOREPLICAS " + text)
	case !applied && (errors.Is(err, cachemesh.ErrUnsettled) || errors.Is(err, cachemesh.ErrOverloaded)):
		c.w.Error("TRYAGAIN " + text)
	case applied:
		c.w.Error("ERR it is not certain whether this was done: " + text)
	default:
		c.w.Error("ERR " + text)
	}
}

// isLoadError reports whether somebody whose load this one waited for said that it failed.
func isLoadError(err error) bool {
	_, is := errors.AsType[*cachemesh.LoadError](err)
	return is
}

// done writes 1 or 0, or an error.
func (c *answers) done(yes bool, err error) {
	switch {
	case err != nil:
		c.fail(err)
	case yes:
		c.w.Int(1)
	default:
		c.w.Int(0)
	}
}

func (c *answers) arity(name string) {
	c.w.Error("ERR wrong number of arguments for '" + name + "' command")
}

func (c *answers) pair(name, value string) {
	c.w.Text(name)
	c.w.Text(value)
}

func (c *answers) counted(n int64, err error) {
	if err != nil {
		c.fail(err)
		return
	}
	c.w.Int(n)
}

func (c *answers) help(lines ...string) {
	c.w.Array(len(lines))
	for _, line := range lines {
		c.w.Simple(line)
	}
}

func (c *answers) texts(all []string) {
	c.w.Array(len(all))
	for _, key := range all {
		c.w.Text(key)
	}
}

// oneOf writes the answer to one of several GETs.
func (c *answers) oneOf(key string, values map[string][]byte, failed cachemesh.KeyErrors) {
	if v, ok := values[key]; ok {
		c.w.Bulk(v)
	} else if err := failed[key]; err != nil {
		c.fail(err)
	} else {
		c.w.Null()
	}
}

func (c *answers) claimEnded(err error) {
	switch {
	case err == nil:
		c.w.Simple("OK")
	case errors.Is(err, cachemesh.ErrClaimVoid):
		c.w.Error("VOID the key was written or deleted, or got another owner: nothing is stored")
	case errors.Is(err, cachemesh.ErrClaimOver):
		c.w.Error("OVER this member holds no such claim any more")
	default:
		c.fail(err)
	}
}

// integer reads an argument as Redis does: no spaces, no plus, no zeros before it.
func integer(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 20 || b[0] == '+' || len(b) > 1 && (b[0] == '0' || b[0] == '-' && b[1] == '0') {
		return 0, false
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil
}

func is(arg []byte, word string) bool {
	return len(arg) == len(word) && strings.EqualFold(string(arg), word)
}

// mostTTL is the longest time to live, in place of all that is longer.
const mostTTL = 250 * 365 * 24 * time.Hour

// A clock says how a command gives a time.
type clock struct {
	unit     time.Duration
	absolute bool // since 1970
}

var clocks = map[string]clock{
	"ex": {time.Second, false}, "px": {time.Millisecond, false}, "exat": {time.Second, true}, "pxat": {time.Millisecond, true},
}

// left returns how long it is until n of the clock's units, which may be over. ok is false
// for what is no time of a computer.
func (k clock) left(n int64) (ttl time.Duration, ok bool) {
	most := math.MaxInt64 / int64(time.Second/time.Millisecond)
	if k.unit == time.Second && (n > int64(most) || n < -int64(most)) {
		return 0, false
	}
	ms := n * int64(k.unit/time.Millisecond)
	now := time.Now()
	if k.absolute {
		if ms < 0 { // long over
			return -1, true
		}
		ms -= now.UnixMilli()
	} else if ms > math.MaxInt64-now.UnixMilli() {
		return 0, false
	}
	if ms >= int64(mostTTL/time.Millisecond) {
		return mostTTL, true
	}
	if ms <= 0 {
		return -1, true
	}
	return time.Duration(ms) * time.Millisecond, true
}

// over is the time to live of a value whose time is over: it is never seen.
const over = time.Nanosecond

// atOnce is how many keys of one command are worked on at a time.
const atOnce = 16

// each calls f for each of n, several at once, and returns for how many it said true. After
// an error no more begin.
func each(n int, f func(i int) (bool, error)) (count int64, err error) {
	if n == 1 {
		yes, err := f(0)
		if yes {
			count = 1
		}
		return count, err
	}
	var next, yes atomic.Int64
	var mu sync.Mutex // guards err
	var all sync.WaitGroup
	for range min(n, atOnce) {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				is, failed := f(i)
				if is {
					yes.Add(1)
				}
				if failed != nil {
					mu.Lock()
					err = failed
					mu.Unlock()
					next.Add(int64(n))
				}
			}
		})
	}
	all.Wait()
	return yes.Load(), err
}
