package serve

import (
	"encoding/binary"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// serveManyFast is serveManyHits, and renews the peer's session first if it asks for that.
func (c *Server) serveManyFast(from string, req *httppool.Request, resp *httppool.Response) bool {
	if req.Flags&wire.FlagRenew == 0 {
		return c.serveManyHits(from, req, resp)
	}
	number, term := c.Renewals.Renew(from)
	return c.serveManyHits(from, req, resp) && putRenewal(resp, number, term)
}

// wantedIn returns of how many of the first keys of a GetMany the peer wants copies.
func wantedIn(req *httppool.Request) int {
	if req.Flags&wire.FlagCopy == 0 || req.Flags&wire.FlagNoValue != 0 {
		return 0
	}
	return int(min(max(req.TTL, 0), wire.BatchKeys))
}

// noteGrant notes under which session the copies of an answer are granted. It reports false if this one is not, or under
// another: a registration that stands for nothing does no harm.
func noteGrant(resp *httppool.Response, number uint64) bool {
	if number == 0 || resp.View != 0 && resp.View != number {
		return false
	}
	resp.View = number
	return true
}

// appendEntry appends the answer about a key whose entry this is, of which a copy was granted or not.
func (c *Answers) appendEntry(dst []byte, e *store.Entry, granted bool, flags uint8, now int64) []byte {
	status, body := wire.StatusOK, e.Data
	if e.Negative {
		status = wire.StatusNotFound
	}
	if granted {
		var one httppool.Response
		c.putEntry(&one, e, now)
		flags, body = flags|wire.FlagKept, wire.AppendKept(nil, one.TTL, c.tellAfter(e, now), e.Data)
	}
	return wire.AppendAnswer(dst, status, flags, body)
}

// grantOf appends the answer about a key whose Get came to o, with a copy. It reports false if none is granted.
func (c *Answers) grantOf(from, key string, enc wire.Encoding, o, resp *httppool.Response) bool {
	if !(wire.Answer{Status: o.Status, Flags: o.Flags}).IsPlain() {
		return false
	}
	now := c.Clock.Now()
	e, number := c.Grant(ring.Hash(c.Seed, key), key, from, enc, now)
	if e == nil || !noteGrant(resp, number) || len(resp.Value)+len(e.Data)+3*binary.MaxVarintLen64 > wire.BatchBytes {
		return false // what was loaded answers, and a registration that stands for nothing does no harm
	}
	resp.Value = c.appendEntry(resp.Value, e, true, o.Flags&wire.FlagHit, now)
	return true
}
