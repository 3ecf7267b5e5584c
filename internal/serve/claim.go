package serve

import (
	"context"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// serveClaim answers a bid: as a Get if there is a value, or will be in the time that it waits.
func (c *Answers) serveClaim(ctx context.Context, hash uint64, key, from string, req *httppool.Request, resp *httppool.Response) {
	bid, ok := wire.ParseBid(req.Value)
	if !ok {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed bid for a claim"
		return
	}
	c.Served(hash).Add(1)
	if c.refuseVersion(hash, wire.Encoding(req.Arg), resp) {
		return
	}
	if c.IsTooLarge(hash, key) {
		c.putTooLarge(resp)
		return
	}
	got, err := c.Claim(ctx, hash, key, bid)
	switch {
	case err != nil:
		c.Errors.Put(resp, err)
		c.hint(resp, hash)
	case got.Busy:
		resp.Status = wire.StatusBusy
	case got.Won:
		grant := wire.Grant{Token: got.Token}
		if e := got.Entry; e != nil && c.Fits(e) {
			grant.Old, grant.Value, grant.Age = true, e.Data, time.Duration(c.Clock.Now()-owner.FreshUntil(e))
		}
		resp.Status, resp.Value = wire.StatusWon, grant.Pack()
	case got.Err == nil && req.Flags&wire.FlagCopy != 0 && c.serveCopy(hash, key, from, wire.Encoding(req.Arg), resp):
	default:
		c.putOutcome(resp, got.Entry, got.Err)
	}
	if got.Hit {
		resp.Flags |= wire.FlagHit
	}
}

// serveFill takes what a claimant has loaded.
func (c *Answers) serveFill(hash uint64, key, from string, req *httppool.Request, resp *httppool.Response) {
	f, ok := wire.ParseFill(req.Value)
	if !ok {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed fill"
		return
	}
	var e *store.Entry
	var err error
	switch f.What {
	case wire.FillExtend:
		c.Errors.Put(resp, c.ExtendClaim(hash, key, f.Token, req.TTL))
		return
	case wire.FillRelease:
		c.Errors.Put(resp, c.ReleaseClaim(hash, key, f.Token))
		return
	case wire.FillTooLarge:
		c.Errors.Put(resp, c.RefuseClaim(hash, key, f.Token))
		return
	case wire.FillNotFound:
		err = errs.ErrNotFound
	case wire.FillFailed:
		err = c.Errors.ParseCause(c.nameOf(from), key, f.Flags, strings.Clone(string(f.Rest)))
	default:
		e = &store.Entry{Key: key, Data: append([]byte{}, f.Rest...)}
		c.SetTTL(e, req.TTL)
		c.Allow(e)
		c.Mark(e, wire.Encoding(req.Arg))
		if f.What == wire.FillOnce {
			e.Expires = owner.DoNotStore
		}
	}
	_, err = c.FillClaim(hash, key, f.Token, e, err)
	c.Errors.Put(resp, err)
}

// nameOf returns the name of a member in the view, else its id.
func (c *Answers) nameOf(id string) string {
	if v := c.State.View(); v != nil && v.Peers[id] != nil {
		return v.Peers[id].Name
	}
	return id
}

// serveHolding answers which of an owner's claims this member has.
func (c *Server) serveHolding(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	ids, ok := wire.ParseIDs(req.Value)
	if !ok || len(ids) == 0 {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed list of claims"
		return
	}
	resp.Value = wire.PackHeld(c.Noted(ctx, ids, min(max(req.TTL, 0), maxHolding)))
}

// maxHolding bounds how long a question for claims waits.
const maxHolding = 5 * time.Second
