package redis

import (
	"os"

	"github.com/praveenduddu/cachemesh"
)

// Protocol numbers what programs that are made for this one, such as the clients in java/, count on:
// the CM commands, what a member says when it is ready, and how it ends. It grows when one of
// these changes so that the former no longer work.
const Protocol = 1

// namedCommands are about a group that they name, and about the mesh.
var namedCommands = []command{
	{"cm.mget", -3, "readonly fast", 2, -1, 1, namedGet, "Returns the values of keys of a group. It loads nothing, and waits for no load.", false},
	{"cm.set", -4, "write denyoom", 2, 2, 1, namedSet, "Sets a key of a group, as SET does.", false},
	{"cm.del", -3, "write", 2, -1, 1, namedDel, "Forgets keys of a group, and counts those that there were.", false},
	{"cm.clear", -2, "write", 0, 0, 0, namedClear, "Forgets all keys of a group, or those with a prefix, on all members; 0 if there were none.", false},
	{"cm.stats", 2, "loading stale fast", 0, 0, 0, namedStats, "Says what this member counted for a group.", false},
	{"cm.mesh", 1, "loading stale fast", 0, 0, 0, meshInfo, "Says what this member knows of the mesh.", false},
}

// namedGet is CM.MGET group key [key …]. It answers in steps, as MGET does.
func namedGet(c *conn, args [][]byte) {
	const step = 1024
	g, ok := c.use(args[1])
	if !ok {
		return
	}
	keys := args[2:]
	c.w.Array(len(keys))
	for len(keys) > 0 {
		batch := make([]string, 0, min(step, len(keys)))
		for _, key := range keys[:min(step, len(keys))] {
			batch = append(batch, string(key))
		}
		keys = keys[len(batch):]
		values, failed := c.getMany(g, batch)
		for _, key := range batch {
			c.oneOf(key, values, failed)
		}
	}
}

// namedSet is CM.SET group key value [EX seconds | PX … | EXAT … | PXAT … | KEEPTTL] [NX | XX] [GET].
func namedSet(c *conn, args [][]byte) {
	if g, ok := c.use(args[1]); ok {
		c.setIn(g, string(args[2]), args[3], args[4:])
	}
}

// namedDel is CM.DEL group key [key …].
func namedDel(c *conn, args [][]byte) {
	if g, ok := c.use(args[1]); ok {
		ctx, keys := c.context(), args[2:]
		for _, key := range keys {
			if !canBe(c, string(key)) {
				return
			}
		}
		c.counted(each(len(keys), func(i int) (bool, error) {
			_, err := g.GetDelete(ctx, string(keys[i]))
			return found(err)
		}))
	}
}

// namedClear is CM.CLEAR group [PREFIX prefix].
func namedClear(c *conn, args [][]byte) {
	prefix := ""
	if len(args) == 4 && is(args[2], "prefix") {
		prefix = string(args[3])
	}
	if len(args) != 2 && prefix == "" {
		c.w.Error(errSyntax)
		return
	}
	g, ok := c.use(args[1])
	if !ok {
		return
	}
	some, err := hasKeys(c, g, prefix)
	switch {
	case err != nil:
	case prefix == "":
		err = g.Clear(c.context())
	default:
		err = g.DeletePrefix(c.context(), prefix)
	}
	c.done(some, err)
}

// hasKeys reports whether the mesh has a key of a group with a prefix.
func hasKeys(c *conn, g *group, prefix string) (bool, error) {
	q := cachemesh.ScanQuery{Prefix: prefix, Count: 1000}
	for {
		page, err := g.Scan(c.context(), q)
		if err != nil || len(page.Items) > 0 || page.Next == "" {
			return len(page.Items) > 0, err
		}
		q.Cursor = page.Next
	}
}

// A counter is a number that a member counted, or measured.
type counter struct {
	name  string
	value int64
}

func counters(c *conn, all []counter) {
	c.w.Map(len(all))
	for _, one := range all {
		c.w.Text(one.name)
		c.w.Int(one.value)
	}
}

// namedStats is CM.STATS group.
func namedStats(c *conn, args [][]byte) {
	g, ok := c.use(args[1])
	if !ok {
		return
	}
	s := g.Stats()
	counters(c, []counter{
		{"gets", int64(s.Gets)}, {"ownHits", int64(s.OwnHits)}, {"hotHits", int64(s.HotHits)}, {"peerHits", int64(s.PeerHits)},
		{"negativeHits", int64(s.NegativeHits)}, {"staleServed", int64(s.StaleServed)}, {"sets", int64(s.Sets)}, {"deletes", int64(s.Deletes)},
		{"claimsWon", int64(s.ClaimsWon)}, {"claimsFilled", int64(s.ClaimsFilled)}, {"claimsVoid", int64(s.ClaimsVoid)},
		{"claimsLost", int64(s.ClaimsLost)}, {"claimsWaiting", s.ClaimsWaiting}, {"peerCalls", int64(s.PeerCalls)},
		{"peerErrors", int64(s.PeerErrors)}, {"retries", int64(s.Retries)}, {"evictions", int64(s.Evictions)}, {"expired", int64(s.Expired)},
		{"tooLarge", int64(s.TooLarge)}, {"entries", s.Entries}, {"bytes", s.Bytes}, {"maxBytes", s.MaxBytes},
	})
}

// meshInfo is CM.MESH.
func meshInfo(c *conn, _ [][]byte) {
	n, members := c.s.o.Node.Stats(), c.s.o.Node.Members()
	var groups []string
	if c.s.o.Names != nil {
		groups = c.s.o.Names()
	}
	settled := int64(0)
	if n.Settled {
		settled = 1
	}
	c.w.Map(11)
	c.pair("name", c.s.o.Node.Name())
	c.pair("addr", c.s.o.Node.Addr())
	c.pair("version", c.s.o.Version)
	c.pair("mode", n.Mode)
	for _, one := range []counter{{"protocol", Protocol}, {"pid", int64(os.Getpid())}, {"settled", settled}} {
		c.w.Text(one.name)
		c.w.Int(one.value)
	}
	c.w.Text("members")
	c.w.Array(len(members))
	for _, m := range members {
		c.w.Array(4)
		c.w.Text(m.Name)
		c.w.Text(m.Addr)
		c.done(m.Self, nil)
		c.done(m.Leaving, nil)
	}
	c.w.Text("unreachable")
	c.texts(n.Unreachable)
	c.w.Text("groups")
	c.texts(groups)
	c.w.Text("counters")
	counters(c, []counter{
		{"calls", int64(n.Calls)}, {"callErrors", int64(n.CallErrors)}, {"relayed", int64(n.Relayed)}, {"served", int64(n.CallsServed)},
		{"missing", int64(n.Missing)}, {"handedOver", int64(n.HandedOver)}, {"lost", int64(n.Lost)}, {"bytes", n.Bytes},
		{"maxBytes", n.MaxBytes}, {"health", int64(n.Health)}, {"uptimeMs", c.s.uptime().Milliseconds()},
	})
}
