package redis

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/resp"
)

// tracking is what a client has said of keys that it keeps. It is its connection's own.
type tracking struct {
	on, optIn, optOut, broadcast bool
	prefixes                     []string // nil: all keys
	caching                      bool     // CLIENT CACHING said so, of the next command
	said                         bool     // by the command before this one

	reading []string // keys whose answers have not gone out
	after   []string // keys of which the client is to be told after them in any case
}

const mostPrefixes = 64

// wants reports whether a read of a key is tracked.
func (t *tracking) wants(key string) bool {
	switch {
	case !t.on, t.optIn && !t.caching, t.optOut && t.caching:
		return false
	case t.prefixes == nil:
		return true
	}
	for _, p := range t.prefixes {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

// read gets a key for a client that keeps what it reads, if it said so.
func (c *conn) read(key string) ([]byte, error) {
	if !c.tracking.wants(key) || c.w.Mute {
		return c.get(key)
	}
	return lease(c, key)
}

// lease gets a key, and has this member told of changes of it, if somebody can promise that.
func lease(c *conn, key string) ([]byte, error) {
	c.s.tracks.begin(c, key)
	c.tracking.reading = append(c.tracking.reading, key)
	g, name := c.s.named(key)
	v, until, err := cachemesh.Lend(c.context(), g, name)
	if err != nil {
		until = time.Time{}
	}
	c.s.tracks.lend(c, key, until)
	return v, err
}

// readOther sees to the keys of a command that reads otherwise than GET and MGET do: it has a lease
// first, or if there are several keys, the client is told of them right after the answer.
func readOther(c *conn, cmd *command, args [][]byte) {
	if !c.tracking.on || c.w.Mute || cmd.first == 0 || cmd.name == "get" || cmd.name == "mget" || !strings.Contains(cmd.flags, "readonly") {
		return
	}
	last := cmd.last
	if last < 0 {
		last += len(args)
	}
	for i := cmd.first; i <= last && i < len(args); i += cmd.step {
		switch key := string(args[i]); {
		case !c.tracking.wants(key):
		case cmd.first == cmd.last:
			lease(c, key)
		default:
			c.tracking.after = append(c.tracking.after, key)
		}
	}
}

// settle writes what the client is to be told after the answers that are about to go out.
func settle(c *conn) {
	t := &c.tracking
	if len(t.reading) > 0 {
		for _, key := range c.s.tracks.settle(c, t.reading) {
			c.w.Invalidate(key)
		}
		t.reading = t.reading[:0]
	}
	for _, key := range t.after {
		c.w.Invalidate(key)
	}
	t.after = t.after[:0]
}

// push tells the client that a key has changed, "" for all, between two answers. A client that
// does not take it, or is in the middle of an answer for long, is cut off: it keeps nothing then.
func (c *conn) push(key string) {
	lapse := time.NewTimer(tellTime)
	defer lapse.Stop()
	for {
		select {
		case c.wire <- struct{}{}:
		case <-lapse.C:
			c.nc.Close()
			return
		}
		if !c.partial {
			break
		}
		<-c.wire
		select {
		case <-time.After(time.Millisecond): // until the answer has gone out
		case <-lapse.C:
			c.nc.Close()
			return
		}
	}
	defer func() { <-c.wire }()
	var b bytes.Buffer
	w := resp.NewWriter(&b, resp.NewBudget(0))
	w.Invalidate(key)
	w.Flush()
	c.nc.SetWriteDeadline(time.Now().Add(tellTime))
	if _, err := c.nc.Write(b.Bytes()); err != nil {
		c.nc.Close()
	}
	c.out.set = time.Time{}
	c.nc.SetWriteDeadline(time.Time{})
}

// clientTracking is CLIENT TRACKING ON|OFF [PREFIX p]… [BCAST] [OPTIN] [OPTOUT] [NOLOOP].
func clientTracking(c *conn, args [][]byte) {
	var t tracking
	switch {
	case is(args[2], "on"):
		t.on = true
	case is(args[2], "off"):
		stopTracking(c)
		c.w.Simple("OK")
		return
	default:
		c.w.Error(errSyntax)
		return
	}
	for i := 3; i < len(args); i++ {
		switch {
		case is(args[i], "optin"):
			t.optIn = true
		case is(args[i], "optout"):
			t.optOut = true
		case is(args[i], "bcast"):
			t.broadcast = true
		case is(args[i], "noloop"): // it is told of its own writes all the same
		case is(args[i], "prefix") && i+1 < len(args) && len(t.prefixes) < mostPrefixes:
			if len(args[i+1]) > cachemesh.MaxKeyLen {
				c.w.Error("ERR no key begins with such a PREFIX: it is longer than keys can be")
				return
			}
			t.prefixes = append(t.prefixes, string(args[i+1]))
			i++
		case is(args[i], "redirect"):
			c.w.Error("ERR CLIENT TRACKING with REDIRECT is not supported by this version of cachemesh: use RESP3")
			return
		default:
			c.w.Error(errSyntax)
			return
		}
	}
	switch {
	case c.w.Proto != 3:
		c.w.Error("ERR CLIENT TRACKING needs RESP3 here: say HELLO 3 first")
	case t.optIn && t.optOut:
		c.w.Error("ERR You can't use both OPTIN and OPTOUT")
	case t.broadcast && (t.optIn || t.optOut):
		c.w.Error("ERR OPTIN and OPTOUT are not compatible with BCAST")
	case t.prefixes != nil && !t.broadcast:
		c.w.Error("ERR PREFIX option requires BCAST mode to be enabled")
	default:
		if !c.tracking.on {
			c.s.tracks.clients.Add(1)
		}
		c.s.track()
		t.reading, t.after = c.tracking.reading, c.tracking.after
		c.tracking = t
		c.w.Simple("OK")
	}
}

// stopTracking lets the client keep nothing more, without a word.
func stopTracking(c *conn) {
	if c.tracking.on {
		c.tracking = tracking{}
		c.s.tracks.forget(c)
		c.s.tracks.clients.Add(-1)
	}
}

func clientCaching(c *conn, args [][]byte) {
	t := &c.tracking
	yes := is(args[2], "yes")
	switch {
	case !yes && !is(args[2], "no"):
		c.w.Error(errSyntax)
	case !t.on || !t.optIn && !t.optOut:
		c.w.Error("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled")
	case yes != t.optIn:
		c.w.Error(fmt.Sprintf("ERR CLIENT CACHING %s is only valid when tracking is enabled in %s mode.", map[bool]string{true: "YES", false: "NO"}[yes], map[bool]string{true: "OPTIN", false: "OPTOUT"}[yes]))
	default:
		t.caching, t.said = true, true
		c.w.Simple("OK")
	}
}

// getRedir answers CLIENT GETREDIR: invalidations go to this connection, if tracking is on.
func getRedir(c *conn, _ [][]byte) {
	if c.tracking.on {
		c.w.Int(0)
	} else {
		c.w.Int(-1)
	}
}
