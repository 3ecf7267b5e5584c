package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
)

const (
	keyRoom  = 48          // bytes that a key that is gathered takes beside its own, at most
	keysTime = time.Minute // that KEYS may take
)

// keys answers with all keys of the mesh that match a pattern, for which there must be memory.
func keys(c *conn, args [][]byte) {
	var all []string
	taken := 0
	defer func() { c.s.budget.Give(taken) }()
	ctx, cancel := context.WithTimeout(c.s.ctx, keysTime)
	defer cancel()
	pattern := string(args[1])
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		found, next, err := c.s.scan(ctx, cursor, pageKeys, literal(pattern))
		if err != nil {
			c.fail(err)
			return
		}
		for _, key := range found {
			if !match(pattern, key) {
				continue
			}
			if !c.s.budget.Take(len(key) + keyRoom) {
				c.w.Error("ERR so many keys have no room in memory (redis-max-buffered): use SCAN")
				return
			}
			taken += len(key) + keyRoom
			all = append(all, key)
		}
		cursor = next
	}
	c.texts(all)
}

// scanKeys goes through the keys of the mesh.
func scanKeys(c *conn, args [][]byte) {
	cursor, err := strconv.ParseUint(string(cut(args[1], 24)), 10, 64)
	if err != nil {
		c.w.Error("ERR invalid cursor")
		return
	}
	pattern, count, text, wrong := parseScan(args[2:])
	if wrong != "" {
		c.w.Error(wrong)
		return
	}
	var found, matching []string
	next := uint64(0)
	if text { // there are no keys of another type
		if found, next, err = c.s.scan(c.context(), cursor, int(count), literal(pattern)); err != nil {
			c.fail(err)
			return
		}
	}
	for _, key := range found {
		if pattern == "" || match(pattern, key) {
			matching = append(matching, key)
		}
	}
	c.w.Array(2)
	c.w.Text(strconv.FormatUint(next, 10))
	c.texts(matching)
}

// literal returns what all keys begin with that match a pattern.
func literal(pattern string) string {
	if i := strings.IndexAny(pattern, `*?[\`); i >= 0 {
		return pattern[:i]
	}
	return pattern
}

// parseScan reads MATCH, COUNT and TYPE; text is false if the type is another.
func parseScan(args [][]byte) (pattern string, count int64, text bool, wrong string) {
	count, text = 10, true
	for ; len(args) > 0; args = args[2:] {
		if len(args) == 1 {
			return "", 0, false, errSyntax
		}
		switch strings.ToLower(string(cut(args[0], 8))) {
		case "match":
			pattern = string(args[1])
		case "count":
			var good bool
			if count, good = integer(args[1]); !good {
				return "", 0, false, errInteger
			}
			if count < 1 {
				return "", 0, false, errSyntax
			}
			count = min(count, pageKeys)
		case "type":
			text = is(args[1], "string")
		default:
			return "", 0, false, errSyntax
		}
	}
	return pattern, count, text, ""
}

func randomKey(c *conn, _ [][]byte) {
	key, err := c.s.random(c.context())
	if err == nil && key == "" {
		err = cachemesh.ErrNotFound
	}
	c.value([]byte(key), err)
}

func dbsize(c *conn, _ [][]byte) {
	all := int64(0)
	for _, sp := range c.s.spaces {
		n, err := count(c.context(), sp.group)
		if err != nil {
			c.fail(err)
			return
		}
		all += n
	}
	c.w.Int(all)
}

func flush(c *conn, args [][]byte) {
	if len(args) > 2 || len(args) == 2 && !is(args[1], "async") && !is(args[1], "sync") {
		c.w.Error(errSyntax)
		return
	}
	var failed []error
	for _, sp := range c.s.spaces {
		failed = append(failed, sp.group.Clear(c.context()))
	}
	if err := errors.Join(failed...); err != nil {
		c.fail(err)
		return
	}
	c.w.Simple("OK")
}
