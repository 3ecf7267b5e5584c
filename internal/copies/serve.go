package copies

import (
	"context"
	"encoding/binary"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A server does what other members want of the copies that are held here.
type server struct {
	*guarded
	asked atomic.Uint64
}

// Asked counts what others have asked about what is held here: whoever asks goes on.
func (c *server) Asked() uint64 { return c.asked.Load() }

// digestBytes is how large a page of a digest is, about.
const digestBytes = 256 << 10

// digestWalks is how many walks through some hundred entries a page takes at most: whoever asked for few keys
// among millions would not wait for all of them, and ask again.
const digestWalks = 256

// ServeDigest tells an owner what this member holds of its keys. If ctx ends, nobody waits for that any more.
func (c *server) ServeDigest(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	c.asked.Add(1)
	resp.Status = wire.StatusNotOwner
	at, first, ok := wire.CutDigestRequest(req.Value)
	if !ok {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed request for a digest"
		return
	}
	c.mu.Lock()
	v := c.view
	epoch, ok := c.core.Tells(req.View)
	if ok {
		c.core.Begun(req.Key, first)
	}
	cleared := c.core.Cleared()
	if ok && !c.hasten && !c.core.Ready() {
		c.hasten = true // whoever asks has this view: it answers, too
		c.kickLocked()
	}
	c.mu.Unlock()
	if !ok || c.isClosed() {
		return
	}
	page := wire.DigestPage{Epoch: epoch, Cleared: cleared, More: true}
	var lines replica.Packer
	for walks := 0; page.More && lines.Len() < digestBytes && walks < digestWalks; walks++ {
		if ctx.Err() != nil {
			return
		}
		at, page.More = c.Store.Walk(at, c.Clock.Now(), func(hash uint64, e *store.Entry) {
			if v.OwnerID(hash) == req.Key {
				lines.Add(replica.Line{Hash: hash, Version: e.Version, Deleted: e.Negative})
			}
		})
	}
	page.At, page.Lines = at, lines.List()
	c.mu.Lock()
	now, ok := c.core.Tells(req.View)
	c.mu.Unlock()
	if ok && now == epoch { // else something may be missing that was dropped, or came, by another view
		resp.Status, resp.Value = wire.StatusOK, page.Pack()
	}
}

// Serve carries out what an owner wants of what is held here of its keys. It answers as many of the
// requests as there is room for, and at least the first.
func (c *server) Serve(req *httppool.Request, resp *httppool.Response) {
	c.asked.Add(1)
	epoch, n := binary.Uvarint(req.Value)
	if n <= 0 {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed request for copies"
		return
	}
	if len(req.Value) == n { // the caller has another epoch
		c.lock()
		c.core.Untold(req.Key)
		c.kickLocked()
		c.unlock()
	}
	for list := req.Value[n:]; len(list) > 0; {
		r, rest, ok := wire.CutCopyRequest(list)
		if !ok {
			resp.Status, resp.Message, resp.Value = wire.StatusInvalid, "malformed request for copies", nil
			return
		}
		list = rest
		a := c.handle(req.Key, epoch, &r)
		if r.Op == wire.CopyFetch && len(resp.Value) > 0 && len(resp.Value)+len(a.Value.Data) > mendBytes {
			break // the caller asks again: more than one value may be more than it takes
		}
		resp.Value = wire.AppendCopyAnswer(resp.Value, r.Op, &a)
	}
	resp.Status = wire.StatusOK
}

// ServeFast is Serve of one write, if that needs no waiting. If it reports false, nothing was
// done. The request may alias a buffer.
func (c *server) ServeFast(req *httppool.Request, resp *httppool.Response) bool {
	epoch, n := binary.Uvarint(req.Value)
	if n <= 0 {
		return false
	}
	r, rest, ok := wire.CutCopyRequest(req.Value[n:])
	if !ok || len(rest) > 0 || r.Op != wire.CopyStore || c.long.Load() > 0 || c.Label != nil { // that calls the user's function
		return false
	}
	a := c.handle(req.Key, epoch, &r)
	resp.Value = wire.AppendCopyAnswer(make([]byte, 0, answerBytes), r.Op, &a)
	resp.Status = wire.StatusOK
	return true
}

// answerBytes is room for the answer to a write.
const answerBytes = 32

// handle carries out one request.
func (c *server) handle(from string, epoch uint64, r *wire.CopyRequest) wire.CopyAnswer {
	s := replica.Send{Op: replica.Op(r.Op), Hash: r.Hash, Version: r.Version, Epoch: epoch, Number: r.Number}
	if s.Op == replica.Store {
		s.Entry = c.unpack(r.Value)
		s.Version = s.Entry.Version
	}
	c.Clock.SeeVersion(s.Version.Clock)
	c.lock()
	defer c.unlock()
	if c.closed {
		return wire.CopyAnswer{Result: byte(replica.Refused)}
	}
	a := c.core.Handle(from, s)
	answer := wire.CopyAnswer{Result: byte(a.Result), Version: a.Version, Of: byte(a.Limit.Of), Most: uint64(max(a.Limit.Bytes, 0))}
	if a.Entry != nil {
		answer.Found, answer.Value = true, c.pack(a.Entry)
		answer.Value.Key = []byte(a.Entry.Key)
	}
	return answer
}

// Bring holds a value that others bring who keep no copies, if it is newer than what is here. It
// reports false if it is another member's.
func (c *server) Bring(hash uint64, e *store.Entry) bool {
	e.BeCopied()
	c.lock()
	defer c.unlock()
	return !c.closed && c.core.Bring(hash, e)
}
