package serve

import (
	"context"
	"strings"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// serveUpdateFast is serveUpdate where that waits for nothing, the user's codec neither.
func (c *Answers) serveUpdateFast(hash uint64, req *httppool.Request, resp *httppool.Response) bool {
	if c.Origin.Write != nil {
		return false
	}
	_, packed, _ := wire.CutCarried(req)
	if cond, _, ok := wire.ParseCondition(packed); ok && cond.Add {
		return false
	}
	key := strings.Clone(req.Key)
	ch, ok := c.changeOf(key, req, resp)
	if !ok {
		return true
	}
	done, err := c.WriteNow(hash, key, ch)
	if done {
		c.putVerdict(hash, resp, ch.If, err)
	}
	return done
}

// changeOf returns the change that a request asks for. It owns its bytes. If it reports
// false, the request was answered.
func (c *Answers) changeOf(key string, req *httppool.Request, resp *httppool.Response) (ch owner.Change, ok bool) {
	_, packed, ok := wire.CutCarried(req)
	cond, value, parsed := wire.ParseCondition(packed)
	if !ok || !parsed {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed condition"
		return ch, false
	}
	ch.If = &owner.Conditional{Condition: cond, Encoding: wire.Encoding(req.Arg), TTL: req.TTL, Answered: true}
	if !cond.Remove && !cond.Touch && !cond.Add {
		ch.E = &store.Entry{Key: key, Data: append([]byte{}, value...)}
		c.SetTTL(ch.E, req.TTL)
		c.Allow(ch.E)
		c.Mark(ch.E, wire.Encoding(req.Arg))
	}
	return ch, true
}

// putVerdict answers what came of a change on a condition.
func (c *Answers) putVerdict(hash uint64, resp *httppool.Response, cond *owner.Conditional, err error) {
	c.Errors.Put(resp, err)
	c.hint(resp, hash)
	if err != nil {
		return
	}
	v := wire.Verdict{Met: cond.Got.Met, Version: cond.Got.Version}
	if e := cond.Got.Entry; e != nil && (cond.Former || cond.Add) {
		v.Found, v.Value = true, e.Data
	}
	resp.Value = v.Pack()
}

// serveItem answers with a value and what is known of it.
func (c *Answers) serveItem(ctx context.Context, hash uint64, key string, req *httppool.Request, resp *httppool.Response) {
	if c.refuseVersion(hash, wire.Encoding(req.Arg), resp) {
		return
	}
	c.Served(hash).Add(1)
	e, err := c.ItemOf(ctx, hash, key, req.Flags&wire.FlagPeek != 0)
	if e == nil {
		c.Errors.Put(resp, err)
		c.hint(resp, hash)
		return
	}
	item := wire.Item{Version: e.Version, Age: int64(owner.AgeOf(e)), Size: e.Size(), Value: e.Data}
	if req.Flags&wire.FlagNoValue != 0 {
		item.Value = nil
	}
	if len(item.Value)+wire.ItemBytes > c.AnswerLimit {
		c.putTooLarge(resp)
		return
	}
	c.putOutcome(resp, &store.Entry{Key: key, Expires: e.Expires, Care: e.Care}, err)
	resp.Value = item.Pack()
}
