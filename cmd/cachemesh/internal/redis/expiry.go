package redis

import (
	"errors"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// ttl answers TTL, PTTL, EXPIRETIME and PEXPIRETIME: -2 for no value, -1 for no end.
func ttl(c *conn, args [][]byte) {
	m, ok := c.meta(args[1], func() { c.w.Int(-2) })
	if !ok {
		return
	}
	if m.TTL == cachemesh.Forever {
		c.w.Int(-1)
		return
	}
	name := strings.ToLower(string(args[0]))
	left := (m.TTL + time.Millisecond/2).Milliseconds()
	if strings.HasSuffix(name, "time") {
		left += time.Now().UnixMilli()
	}
	if name[0] != 'p' {
		left = (left + 500) / 1000
	}
	c.w.Int(left)
}

// A change of time may ask for something of the time before.
type onlyIf struct {
	none, some   bool // NX, XX: it had no end; it had one
	later, older bool // GT, LT: the new end is later; earlier
}

func expire(c *conn, args [][]byte) {
	name := strings.ToLower(string(args[0]))
	k := clock{time.Second, strings.HasSuffix(name, "at")}
	if name[0] == 'p' {
		k.unit = time.Millisecond
	}
	n, good := integer(args[2])
	if !good {
		c.w.Error(errInteger)
		return
	}
	only, wrong := parseOnly(args[3:])
	if wrong != "" {
		c.w.Error(wrong)
		return
	}
	ttl, good := k.left(n)
	if !good {
		c.w.Error("ERR invalid expire time in '" + name + "' command")
		return
	}
	g, key := c.s.of(args[1])
	switch {
	case only != onlyIf{}:
		c.done(c.retime(g, key, func(m cachemesh.Meta) (time.Duration, bool) { return ttl, only.allows(m.TTL, ttl) }))
	case ttl <= 0:
		_, err := g.GetDelete(c.context(), key)
		c.done(found(err))
	default:
		c.done(g.Touch(c.context(), key, ttl))
	}
}

func parseOnly(args [][]byte) (o onlyIf, wrong string) {
	for _, arg := range args {
		switch {
		case is(arg, "nx"):
			o.none = true
		case is(arg, "xx"):
			o.some = true
		case is(arg, "gt"):
			o.later = true
		case is(arg, "lt"):
			o.older = true
		default:
			return o, "ERR Unsupported option " + string(cut(arg, 128))
		}
	}
	if o.none && (o.some || o.later || o.older) {
		return o, "ERR NX and XX, GT or LT options at the same time are not compatible"
	}
	if o.later && o.older {
		return o, "ERR GT and LT options at the same time are not compatible"
	}
	return o, ""
}

// allows reports whether a time may take the place of the one before. No end is later than
// any.
func (o onlyIf) allows(before, after time.Duration) bool {
	endless := before == cachemesh.Forever
	return !(o.none && !endless || o.some && endless || o.later && (endless || after <= before) || o.older && !endless && after >= before)
}

// retime gives a key another time if decide says so of what it has: of the value that decide
// was asked about, or not at all.
func (c *conn) retime(g *group, key string, decide func(cachemesh.Meta) (time.Duration, bool)) (bool, error) {
	ctx := c.context()
	for {
		item, err := g.Item(ctx, key)
		if errors.Is(err, cachemesh.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		ttl, yes := decide(item.Meta)
		if !yes {
			return false, nil
		}
		w, err := g.SetIf(ctx, key, item.Value, max(ttl, over), cachemesh.Condition{Version: item.Version})
		if err != nil || w.Done {
			return w.Done, err
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
	}
}

func persist(c *conn, args [][]byte) {
	g, key := c.s.of(args[1])
	c.done(c.retime(g, key, func(m cachemesh.Meta) (time.Duration, bool) {
		return cachemesh.Forever, m.TTL != cachemesh.Forever
	}))
}
