package redis

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
)

var stringCommands = []command{
	{"get", 2, "readonly fast", 1, 1, 1, get, "Returns the value of a key.", false},
	{"mget", -2, "readonly fast", 1, -1, 1, mget, "Returns the values of keys.", false},
	{"set", -3, "write denyoom", 1, 1, 1, set, "Sets the value of a key, on conditions and for a time if asked.", false},
	{"setnx", 3, "write denyoom fast", 1, 1, 1, setnx, "Sets a key that has no value.", false},
	{"setex", 4, "write denyoom", 1, 1, 1, setex, "Sets a key for seconds.", false},
	{"psetex", 4, "write denyoom", 1, 1, 1, setex, "Sets a key for milliseconds.", false},
	{"getset", 3, "write denyoom fast", 1, 1, 1, getset, "Sets a key and returns what it had.", false},
	{"mset", -3, "write denyoom", 1, -1, 2, mset, "Sets keys, each for itself: others may see some set and some not.", false},
	{"getex", -2, "write fast", 1, 1, 1, getex, "Returns the value of a key and changes its time.", false},
	{"getdel", 2, "write fast", 1, 1, 1, getdel, "Forgets a key and returns what it had.", false},
	{"strlen", 2, "readonly fast", 1, 1, 1, strlen, "Returns the length of a value.", false},
	{"getrange", 4, "readonly", 1, 1, 1, getrange, "Returns a part of a value.", false},
	{"substr", 4, "readonly", 1, 1, 1, getrange, "Returns a part of a value.", false},
	{"append", 3, "write denyoom fast", 1, 1, 1, appendTo, "Appends to a value.", false},
	{"incr", 2, "write denyoom fast", 1, 1, 1, incr, "Adds 1 to a number.", false},
	{"decr", 2, "write denyoom fast", 1, 1, 1, incr, "Takes 1 from a number.", false},
	{"incrby", 3, "write denyoom fast", 1, 1, 1, incr, "Adds to a number.", false},
	{"decrby", 3, "write denyoom fast", 1, 1, 1, incr, "Takes from a number.", false},
	{"incrbyfloat", 3, "write denyoom fast", 1, 1, 1, incrByFloat, "Adds to a number with a fraction.", false},
}

func get(c *conn, args [][]byte) {
	v, err := c.read(string(args[1]))
	c.value(v, err)
}

// mget answers in steps, so that the values of very many keys are not in memory at once.
func mget(c *conn, args [][]byte) {
	const step = 1024
	keys := args[1:]
	c.w.Array(len(keys))
	if c.tracking.on {
		for _, key := range keys {
			v, err := c.read(string(key))
			c.value(v, err)
		}
		return
	}
	batch := make([]string, 0, min(step, len(keys)))
	for len(keys) > 0 {
		batch = batch[:0]
		for _, key := range keys[:min(step, len(keys))] {
			batch = append(batch, string(key))
		}
		keys = keys[len(batch):]
		c.many(batch)
	}
}

func set(c *conn, args [][]byte) {
	g, key := c.s.of(args[1])
	c.setIn(g, key, args[2], args[3:])
}

// setIn sets a key of a group as the arguments say that follow.
func (c *conn) setIn(g *group, key string, value []byte, how [][]byte) {
	s, wrong := parseSet(how)
	if wrong != "" {
		c.w.Error(wrong)
		return
	}
	if s.cond == (cachemesh.Condition{}) && !s.keep {
		if err := g.Set(c.context(), key, value, s.ttl); err != nil {
			c.fail(err)
			return
		}
		c.w.Simple("OK")
		return
	}
	if s.keep {
		s.ttl = cachemesh.KeepTTL
	}
	w, err := g.SetIf(c.context(), key, value, s.ttl, s.cond)
	switch {
	case err != nil:
		c.fail(err)
	case s.cond.Former && w.Had:
		c.w.Bulk(w.Former)
	case s.cond.Former, !w.Done:
		c.w.Null()
	default:
		c.w.Simple("OK")
	}
}

func setnx(c *conn, args [][]byte) {
	g, key := c.s.of(args[1])
	c.done(g.SetIfAbsent(c.context(), key, args[2], 0))
}

func setex(c *conn, args [][]byte) {
	k, name := clocks["ex"], "setex"
	if len(args[0]) == len("psetex") {
		k, name = clocks["px"], "psetex"
	}
	ttl, wrong := ttlOf(k, args[2], name)
	g, key := c.s.of(args[1])
	if wrong != "" {
		c.w.Error(wrong)
	} else if err := g.Set(c.context(), key, args[3], ttl); err != nil {
		c.fail(err)
	} else {
		c.w.Simple("OK")
	}
}

func getset(c *conn, args [][]byte) {
	g, key := c.s.of(args[1])
	w, err := g.SetIf(c.context(), key, args[2], 0, cachemesh.Condition{Former: true})
	if err == nil && !w.Had {
		err = cachemesh.ErrNotFound
	}
	c.value(w.Former, err)
}

// mset sets keys at once, but of one that is there twice the last value only.
func mset(c *conn, args [][]byte) {
	if len(args)%2 == 0 {
		c.arity("mset")
		return
	}
	last := make(map[string][]byte, len(args)/2)
	for i := 1; i < len(args); i += 2 {
		if _, key := c.s.of(args[i]); !canBe(c, key) {
			return
		}
		last[string(args[i])] = args[i+1]
	}
	keys := make([]string, 0, len(last))
	for key := range last {
		keys = append(keys, key)
	}
	ctx := c.context()
	_, err := each(len(keys), func(i int) (bool, error) {
		g, key := c.s.named(keys[i])
		return true, g.Set(ctx, key, last[keys[i]], 0)
	})
	if err != nil {
		c.fail(err)
		return
	}
	c.w.Simple("OK")
}

func getex(c *conn, args [][]byte) {
	var ttl time.Duration
	switch {
	case len(args) == 2:
		get(c, args)
		return
	case len(args) == 3 && is(args[2], "persist"):
		ttl = cachemesh.Forever
	case len(args) == 4:
		k, good := clocks[strings.ToLower(string(cut(args[2], 8)))]
		if !good {
			c.w.Error(errSyntax)
			return
		}
		var wrong string
		if ttl, wrong = ttlOf(k, args[3], "getex"); wrong != "" {
			c.w.Error(wrong)
			return
		}
	default:
		c.w.Error(errSyntax)
		return
	}
	g, key := c.s.of(args[1])
	v, err := g.Update(c.context(), key, ttl, func(old []byte, found bool) ([]byte, cachemesh.Action, error) {
		if !found {
			return nil, cachemesh.Keep, cachemesh.ErrNotFound
		}
		return old, cachemesh.Replace, nil
	})
	c.value(v, err)
}

func getdel(c *conn, args [][]byte) {
	g, key := c.s.of(args[1])
	v, err := g.GetDelete(c.context(), key)
	c.value(v, err)
}

// valueOf returns the value of a key, nil for none.
func (c *conn) valueOf(key []byte) ([]byte, error) {
	v, err := c.get(string(key))
	if errors.Is(err, cachemesh.ErrNotFound) {
		return nil, nil
	}
	return v, err
}

func strlen(c *conn, args [][]byte) {
	v, err := c.valueOf(args[1])
	if err != nil {
		c.fail(err)
		return
	}
	c.w.Int(int64(len(v)))
}

func getrange(c *conn, args [][]byte) {
	from, good := integer(args[2])
	to, good2 := integer(args[3])
	if !good || !good2 {
		c.w.Error(errInteger)
		return
	}
	v, err := c.valueOf(args[1])
	if err != nil {
		c.fail(err)
		return
	}
	n := int64(len(v))
	if from < 0 {
		from = max(from+n, 0)
	}
	if to < 0 {
		to += n
	}
	if to = min(to, n-1); from > to {
		c.w.Text("")
		return
	}
	c.w.Bulk(v[from : to+1])
}

func appendTo(c *conn, args [][]byte) {
	g, key := c.s.of(args[1])
	v, err := g.Update(c.context(), key, cachemesh.KeepTTL, func(old []byte, _ bool) ([]byte, cachemesh.Action, error) {
		return append(old[:len(old):len(old)], args[2]...), cachemesh.Replace, nil
	})
	if err != nil {
		c.fail(err)
		return
	}
	c.w.Int(int64(len(v)))
}

func incr(c *conn, args [][]byte) {
	delta := int64(1)
	if len(args) == 3 {
		var good bool
		if delta, good = integer(args[2]); !good {
			c.w.Error(errInteger)
			return
		}
	}
	if args[0][0]|0x20 == 'd' {
		if delta == math.MinInt64 {
			c.w.Error("ERR decrement would overflow")
			return
		}
		delta = -delta
	}
	g, key := c.s.of(args[1])
	sum, err := cachemesh.Increment(c.context(), g, key, delta, 0)
	if err != nil {
		c.fail(err)
		return
	}
	n, _ := integer(sum)
	c.w.Int(n)
}
