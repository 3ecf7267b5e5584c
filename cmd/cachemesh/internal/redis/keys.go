package redis

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
)

var keyCommands = []command{
	{"del", -2, "write", 1, -1, 1, del, "Forgets keys.", false},
	{"unlink", -2, "write fast", 1, -1, 1, del, "Forgets keys.", false},
	{"exists", -2, "readonly fast", 1, -1, 1, exists, "Counts those of the keys that have a value.", false},
	{"touch", -2, "readonly fast", 1, -1, 1, exists, "Counts those of the keys that have a value.", false},
	{"ttl", 2, "readonly fast", 1, 1, 1, ttl, "Returns for how many seconds a key lives.", false},
	{"pttl", 2, "readonly fast", 1, 1, 1, ttl, "Returns for how many milliseconds a key lives.", false},
	{"expiretime", 2, "readonly fast", 1, 1, 1, ttl, "Returns the second at which a key ends.", false},
	{"pexpiretime", 2, "readonly fast", 1, 1, 1, ttl, "Returns the millisecond at which a key ends.", false},
	{"expire", -3, "write fast", 1, 1, 1, expire, "Lets a key live for seconds.", false},
	{"pexpire", -3, "write fast", 1, 1, 1, expire, "Lets a key live for milliseconds.", false},
	{"expireat", -3, "write fast", 1, 1, 1, expire, "Lets a key live until a second.", false},
	{"pexpireat", -3, "write fast", 1, 1, 1, expire, "Lets a key live until a millisecond.", false},
	{"persist", 2, "write fast", 1, 1, 1, persist, "Lets a key live until it is evicted.", false},
	{"type", 2, "readonly fast", 1, 1, 1, typeOf, "Returns string, or none.", false},
	{"object", -2, "readonly", 2, 2, 1, subs("object", objectSubs), "Says how a value is kept.", false},
	{"memory", -2, "readonly", 2, 2, 1, subs("memory", memorySubs), "Says what a value takes of the memory.", false},
	{"keys", 2, "readonly", 0, 0, 0, keys, "Returns the mesh's keys that match a pattern.", false},
	{"scan", -2, "readonly", 0, 0, 0, scanKeys, "Goes through the mesh's keys, a few at a time.", false},
	{"randomkey", 1, "readonly", 0, 0, 0, randomKey, "Returns one of the mesh's keys.", false},
	{"dbsize", 1, "readonly fast", 0, 0, 0, dbsize, "Counts the mesh's keys, and estimates how many there are beyond 16000.", false},
	{"flushdb", -1, "write", 0, 0, 0, flush, "Forgets all keys, on all members.", false},
	{"flushall", -1, "write", 0, 0, 0, flush, "Forgets all keys, on all members.", false},
}

// del forgets keys, with a call each, for it counts those that there were.
func del(c *conn, args [][]byte) {
	ctx, keys := c.context(), args[1:]
	for _, each := range keys {
		if _, key := c.s.of(each); !canBe(c, key) {
			return
		}
	}
	count, err := each(len(keys), func(i int) (bool, error) {
		g, key := c.s.of(keys[i])
		_, err := g.GetDelete(ctx, key)
		return found(err)
	})
	c.counted(count, err)
}

// canBe reports whether there can be such a key, or answers that there cannot. A command that writes several
// looks at all of them first, so that a mistake leaves nothing half done.
func canBe(c *conn, key string) bool {
	switch {
	case key == "":
		c.fail(fmt.Errorf("%w: it is empty", cachemesh.ErrInvalidKey))
	case len(key) > cachemesh.MaxKeyLen:
		c.fail(fmt.Errorf("%w: it has %d bytes, the limit is %d", cachemesh.ErrInvalidKey, len(key), cachemesh.MaxKeyLen))
	default:
		return true
	}
	return false
}

func exists(c *conn, args [][]byte) {
	ctx, keys := c.context(), args[1:]
	count, err := each(len(keys), func(i int) (bool, error) {
		g, key := c.s.of(keys[i])
		_, err := g.Meta(ctx, key)
		return found(err)
	})
	c.counted(count, err)
}

func found(err error) (bool, error) {
	if errors.Is(err, cachemesh.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// meta returns what is known of a key; ok is false after it has answered for a key without
// a value, or an error.
func (c *conn) meta(key []byte, missing func()) (m cachemesh.Meta, ok bool) {
	g, name := c.s.of(key)
	m, err := g.Meta(c.context(), name)
	switch yes, err := found(err); {
	case err != nil:
		c.fail(err)
	case !yes:
		missing()
	default:
		return m, true
	}
	return m, false
}

func typeOf(c *conn, args [][]byte) {
	if _, ok := c.meta(args[1], func() { c.w.Simple("none") }); ok {
		c.w.Simple("string")
	}
}

var objectSubs = map[string]sub{
	"encoding": {3, encoding},
	"refcount": {3, func(c *conn, args [][]byte) {
		if _, ok := c.meta(args[2], c.w.Null); ok {
			c.w.Int(1)
		}
	}},
	"idletime": {3, func(c *conn, args [][]byte) {
		if m, ok := c.meta(args[2], c.w.Null); ok {
			c.w.Int(int64(m.Age / time.Second))
		}
	}},
	"freq": {3, func(c *conn, args [][]byte) {
		if _, ok := c.meta(args[2], c.w.Null); ok {
			c.w.Error("ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.")
		}
	}},
	"help": {2, func(c *conn, _ [][]byte) { c.help("OBJECT ENCODING|REFCOUNT|IDLETIME <key>") }},
}

func encoding(c *conn, args [][]byte) {
	v, err := c.get(string(args[2]))
	if err != nil {
		c.value(nil, err)
		return
	}
	switch _, number := integer(v); {
	case number:
		c.w.Text("int")
	case len(v) <= 44:
		c.w.Text("embstr")
	default:
		c.w.Text("raw")
	}
}

var memorySubs = map[string]sub{
	"usage": {-3, func(c *conn, args [][]byte) {
		if len(args) != 3 && (len(args) != 5 || !is(args[3], "samples")) {
			c.w.Error(errSyntax)
		} else if m, ok := c.meta(args[2], c.w.Null); ok {
			c.w.Int(m.Size)
		}
	}},
	"help": {2, func(c *conn, _ [][]byte) { c.help("MEMORY USAGE <key>") }},
}

// match reports whether a key matches a pattern of *, ?, [a-z], [^a-z] and \ before any of
// them. It takes no longer than the product of the two lengths.
func match(pattern, key string) bool {
	p, k := 0, 0
	star, from := -1, 0 // the last star, and what it does not cover yet
	for k < len(key) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, k
			p++
			continue
		}
		if n, ok := matchOne(pattern[p:], key[k]); ok {
			p, k = p+n, k+1
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, k = star+1, from
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne matches a byte, and returns how much of the pattern that took.
func matchOne(pattern string, b byte) (n int, ok bool) {
	switch {
	case pattern == "":
		return 0, false
	case pattern[0] == '?':
		return 1, true
	case pattern[0] == '\\' && len(pattern) > 1:
		return 2, pattern[1] == b
	case pattern[0] == '[':
		return matchClass(pattern, b)
	}
	return 1, pattern[0] == b
}

func matchClass(pattern string, b byte) (n int, ok bool) {
	i, not, in := 1, false, false
	if i < len(pattern) && pattern[i] == '^' {
		i, not = i+1, true
	}
	for ; i < len(pattern) && pattern[i] != ']'; i++ {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
			in = in || pattern[i] == b
		case i+2 < len(pattern) && pattern[i+1] == '-':
			from, to := min(pattern[i], pattern[i+2]), max(pattern[i], pattern[i+2])
			in = in || from <= b && b <= to
			i += 2
		default:
			in = in || pattern[i] == b
		}
	}
	return min(i+1, len(pattern)), in != not
}
