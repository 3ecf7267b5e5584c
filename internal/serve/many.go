package serve

import (
	"context"
	"encoding/binary"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// serveManyHits answers a peer's GetMany if every key is in memory here.
func (c *Server) serveManyHits(from string, req *httppool.Request, resp *httppool.Response) bool {
	v := c.State.View()
	now := c.Clock.Now()
	if v == nil || req.Flags&wire.FlagNoValue != 0 {
		return false
	}
	var aged owner.Due
	defer func() {
		if len(aged) > 0 {
			c.RefreshAll(&aged)
		}
	}()
	var entries [fastKeys]*store.Entry
	var granted [fastKeys]bool
	count, size, wanted := 0, 0, wantedIn(req)
	for list := req.Value; len(list) > 0; count++ {
		b, rest, ok := wire.CutBytes(list)
		if !ok || count == fastKeys {
			return false
		}
		key := unsafe.String(unsafe.SliceData(b), len(b)) // the store keeps no key that it is asked for
		if wire.CheckKey(key) != nil {
			return false
		}
		hash := ring.Hash(c.Seed, key)
		if !c.State.Serves(v.Standing(hash), now) {
			return false
		}
		var e *store.Entry
		if count < wanted {
			var number uint64
			e, number = c.Grant(hash, key, from, wire.Encoding(req.Arg), now)
			granted[count] = noteGrant(resp, number)
		} else {
			e = c.LookupFor(hash, key, now, wire.Encoding(req.Arg), &aged)
		}
		if e == nil {
			resp.View = 0
			return false
		}
		entries[count] = e
		size += 2 + binary.MaxVarintLen32 + 2*binary.MaxVarintLen64 + len(e.Data)
		list = rest
	}
	if size > wire.BatchBytes {
		resp.View = 0
		return false
	}
	body := make([]byte, 0, size)
	for i, e := range entries[:count] {
		body = c.appendEntry(body, e, granted[i], wire.FlagHit, now)
	}
	c.Served(0).Add(uint64(count))
	resp.Status, resp.Value = wire.StatusOK, body
	return true
}

// serveGetMany answers a peer's GetMany: hits at once, the rest loaded side by
// side. When the answer grows too large, the caller asks singly for what is
// missing.
func (c *Server) serveGetMany(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	keys, ok := wire.ParseKeys(req.Value)
	if !ok {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed list of keys"
		return
	}
	outcomes := c.answerMany(ctx, keys, wire.Encoding(req.Arg))
	for i := range outcomes {
		o := &outcomes[i]
		if req.Flags&wire.FlagNoValue != 0 {
			o.Value = nil
			if o.Status == wire.StatusTooLarge {
				o.Status = wire.StatusOK // nobody wants the value sent
			}
		}
		if i < wantedIn(req) && c.grantOf(from, keys[i], wire.Encoding(req.Arg), o, resp) {
			continue
		}
		body := o.Value
		switch {
		case o.Status != wire.StatusOK:
			body = []byte(o.Message)
		case o.Flags&wire.FlagStale != 0:
			body = wire.AppendStale(nil, o)
		}
		if len(resp.Value)+len(body) > wire.BatchBytes && i > 0 {
			break
		}
		resp.Value = wire.AppendAnswer(resp.Value, o.Status, o.Flags, body)
	}
	resp.Status = wire.StatusOK
}

// answerMany answers several Gets of peers: hits at once, the rest together if
// the group has LoadMany, else side by side.
func (c *Server) answerMany(ctx context.Context, keys []string, enc wire.Encoding) []httppool.Response {
	outcomes := make([]httppool.Response, len(keys))
	first := make(map[string]int) // of the keys that miss; the same may be there twice
	var missing []string
	var again []int
	var list owner.Due
	for i, key := range keys {
		if c.serveHit(ring.Hash(c.Seed, key), "", &httppool.Request{Key: key, Arg: uint64(enc)}, &outcomes[i], &list) || c.refuseVersion(ring.Hash(c.Seed, key), enc, &outcomes[i]) {
			continue
		}
		if c.IsTooLarge(ring.Hash(c.Seed, key), key) {
			c.putTooLarge(&outcomes[i])
			continue
		}
		if _, dup := first[key]; dup {
			again = append(again, i)
			continue
		}
		first[key] = i
		missing = append(missing, key)
	}
	c.RefreshAll(&list)
	if c.Origin.LoadMany != nil && len(missing) > 0 {
		missing = c.LoadMany(ctx, missing, func(key string, e *store.Entry, err error) {
			c.Served(0).Add(1)
			c.putOutcome(&outcomes[first[key]], e, err)
		})
	}
	var g errgroup.Group
	g.SetLimit(owner.BatchLoaders)
	for _, key := range missing {
		g.Go(func() error {
			c.serveGet(ctx, ring.Hash(c.Seed, key), key, "", &httppool.Request{Arg: uint64(enc)}, &outcomes[first[key]])
			return nil
		})
	}
	g.Wait()
	for _, i := range again {
		outcomes[i] = outcomes[first[keys[i]]]
	}
	return outcomes
}

func (c *Server) serveDeleteMany(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	keys, ok := wire.ParseKeys(req.Value)
	if !ok {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed list of keys"
		return
	}
	outcomes := make([]httppool.Response, len(keys))
	var g errgroup.Group
	g.SetLimit(owner.BatchLoaders)
	for i, key := range keys {
		hash := ring.Hash(c.Seed, key)
		if done, err := c.WriteNow(hash, key, owner.Change{}); done {
			c.Errors.Put(&outcomes[i], err)
			continue
		}
		g.Go(func() error { // it waits for holders, for another write or for the Writer
			c.Errors.Put(&outcomes[i], c.Write(ctx, hash, key, owner.Change{}))
			return nil
		})
	}
	g.Wait()
	for i := range outcomes {
		o := &outcomes[i]
		resp.Value = wire.AppendAnswer(resp.Value, o.Status, o.Flags, []byte(o.Message))
	}
	resp.Status = wire.StatusOK
}

// serveRefresh answers a peer's Refresh.
func (c *Server) serveRefresh(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	keys, ok := wire.ParseKeys(req.Value)
	if !ok {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed list of keys"
		return
	}
	for i, err := range c.ReloadHere(ctx, keys) {
		var one httppool.Response
		c.Errors.Put(&one, err)
		if i > 0 && len(resp.Value)+len(one.Message) > wire.BatchBytes {
			break
		}
		resp.Value = wire.AppendAnswer(resp.Value, one.Status, one.Flags, []byte(one.Message))
	}
	resp.Status = wire.StatusOK
}

// serveWhole answers what is about no one key.
func (c *Server) serveWhole(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	if req.Op == wire.OpScan {
		c.serveScan(req, resp)
		return
	}
	c.serveRemoval(ctx, req, resp)
}

// serveRemoval forgets what bears tags, or keys with a prefix.
func (c *Server) serveRemoval(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	r, ok := owner.ParseRemoval(req.Op, req.Value)
	if !ok {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed list of tags"
		return
	}
	if r.Tags != nil && c.Tags == nil {
		resp.Status, resp.Message = wire.StatusInvalid, "the group has no Tags on this member"
		return
	}
	c.Errors.Put(resp, c.RemoveHere(ctx, req.View, r))
}

// serveScan answers with a page of what this member owns.
func (c *Server) serveScan(req *httppool.Request, resp *httppool.Response) {
	q, ok := wire.ParseScanQuery(req.Value)
	if !ok {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed query"
		return
	}
	page, err := c.ScanHere(req.View, q, wire.Encoding(req.Arg))
	if c.Errors.Put(resp, err); err == nil {
		resp.Value = page.Pack()
	}
}
