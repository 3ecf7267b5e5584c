package redis

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/claims"
)

var claimCommands = []command{
	{"cm.get", -3, "write", 2, 2, 1, claimGet, "Returns a value of a cache, or the right to load it: hit, stale, notfound, won or busy.", false},
	{"cm.fill", -5, "write denyoom", 2, 2, 1, claimFill, "Brings the value that was loaded.", false},
	{"cm.notfound", 4, "write", 2, 2, 1, claimNotFound, "Says that there is no value to load.", false},
	{"cm.fail", 5, "write", 2, 2, 1, claimFail, "Says that the load failed, to all who wait.", false},
	{"cm.extend", -4, "write fast", 2, 2, 1, claimExtend, "Lets a claim stand for milliseconds from now.", false},
	{"cm.release", 4, "write fast", 2, 2, 1, claimRelease, "Gives a claim up: the next that waits has it.", false},
}

const mostReason = 2 << 10 // bytes of what CM.FAIL says

// claimGet is CM.GET group key [WAIT ms] [HOLD ms].
func claimGet(c *conn, args [][]byte) {
	var o cachemesh.ClaimOptions
	for i := 3; i < len(args); i += 2 {
		var at *time.Duration
		most := claims.MostWait
		switch {
		case i+1 == len(args):
		case is(args[i], "wait"):
			at = &o.Wait
		case is(args[i], "hold"):
			at, most = &o.Hold, claims.MostHold
		}
		if at == nil {
			c.w.Error(errSyntax)
			return
		}
		var good bool
		if *at, good = milliseconds(args[i+1], most); !good {
			c.w.Error("ERR WAIT and HOLD are from 0 to 60000 milliseconds")
			return
		}
	}
	g, ok := c.use(args[1])
	if !ok {
		return
	}
	// A member that leaves makes nobody wait.
	ctx, cancel := context.WithTimeout(c.s.staying, o.Wait+commandTime)
	defer cancel()
	got, err := g.Claim(ctx, string(args[2]), o)
	if err != nil && c.s.stopping.Load() && errors.Is(err, context.Canceled) {
		err = cachemesh.ErrClosed
	}
	if err != nil {
		c.fail(err)
		return
	}
	c.claimed(string(args[1]), string(args[2]), got, o.Hold)
}

// claimed writes what a claim found.
func (c *conn) claimed(name, key string, got claims.Claim, hold time.Duration) {
	word, parts, token := "", 1, ""
	switch got.State {
	case cachemesh.Hit:
		word, parts = "hit", 2
	case cachemesh.Stale:
		word, parts = "stale", 3
	case cachemesh.NotFound:
		word = "notfound"
	case cachemesh.Won:
		word, parts = "won", 2
		if got.Old {
			parts = 4
		}
		if c.claims == nil {
			c.claims = c.s.o.Claims.Holder()
		}
		var err error
		if token, err = c.s.o.Claims.Keep(c.context(), c.claims, name, key, got, hold); err != nil {
			c.w.Error("TRYAGAIN " + err.Error())
			return
		}
	default:
		word = "busy"
	}
	c.w.Array(parts)
	c.w.Text(word)
	if token != "" {
		c.w.Text(token)
	}
	if got.State == cachemesh.Hit || got.Old {
		c.w.Bulk(got.Value)
	}
	if got.Old {
		c.w.Int(got.Age.Milliseconds())
	}
}

// claimFill is CM.FILL group key token value [EX seconds | PX … | EXAT … | PXAT …].
func claimFill(c *conn, args [][]byte) {
	s, wrong := parseSet(args[5:])
	if wrong == "" && (s.keep || s.cond != cachemesh.Condition{}) {
		wrong = errSyntax
	}
	if wrong != "" {
		c.w.Error(wrong)
		return
	}
	c.endClaim(args, func(ctx context.Context, claim claims.Claim) error {
		return claim.Fill(ctx, bytes.Clone(args[4]), s.ttl)
	})
}

func claimNotFound(c *conn, args [][]byte) {
	c.endClaim(args, func(ctx context.Context, claim claims.Claim) error { return claim.NotFound(ctx) })
}

func claimFail(c *conn, args [][]byte) {
	c.endClaim(args, func(ctx context.Context, claim claims.Claim) error {
		return claim.Fail(ctx, errors.New(string(cut(args[4], mostReason))))
	})
}

func claimRelease(c *conn, args [][]byte) {
	c.endClaim(args, func(ctx context.Context, claim claims.Claim) error {
		claim.Release(ctx)
		return nil
	})
}

// endClaim ends the claim of group, key and token.
func (c *conn) endClaim(args [][]byte, end func(context.Context, claims.Claim) error) {
	claim, err := c.s.o.Claims.Take(string(args[1]), string(args[2]), string(args[3]))
	if err == nil {
		err = end(c.context(), claim)
	}
	c.claimEnded(err)
}

func claimExtend(c *conn, args [][]byte) {
	var hold time.Duration
	good := len(args) == 4
	if len(args) == 5 {
		hold, good = milliseconds(args[4], claims.MostHold)
	}
	if !good {
		c.w.Error(errSyntax)
		return
	}
	c.claimEnded(c.s.o.Claims.Extend(c.context(), string(args[1]), string(args[2]), string(args[3]), hold))
}

func milliseconds(arg []byte, most time.Duration) (time.Duration, bool) {
	n, good := integer(arg)
	return time.Duration(n) * time.Millisecond, good && n >= 0 && n <= most.Milliseconds()
}

// use returns the group of a name, or answers that there is none.
func (c *conn) use(name []byte) (*group, bool) {
	g, err := c.s.o.Use(string(name))
	if err != nil {
		c.fail(err)
	}
	return g, err == nil
}
