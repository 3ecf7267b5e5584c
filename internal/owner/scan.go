package owner

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// scanLooks bounds the hashes that are looked at for one page.
const scanLooks = 8 << 10

// ScanHere returns keys that this member owns, from a hash on, in the order of their hashes, by
// the view whose id is given. What is past its time, of another encoding or known not to exist
// is left out. A page has all keys of each of its hashes. Errors: errs.ErrUnsettled.
func (c *Part) ScanHere(id uint64, q wire.ScanQuery, enc wire.Encoding) (p wire.ScanPage, err error) {
	v := c.State.View()
	now := c.Clock.Now()
	if v == nil || v.ID != id || !c.State.ActsBy(id) || now >= c.State.Confirmed() {
		return p, errs.ErrUnsettled
	}
	if c.copies != nil && !c.copies.IsWhole(id) {
		return p, errs.ErrUnsettled // what has a value may not be here yet
	}
	hashes, to := c.windows.at(v, q.From, c.Store, now)
	at, _ := slices.BinarySearch(hashes, q.From)
	page := scanning{Part: c, query: q, enc: enc, now: now}
	for looked := 0; ; at, looked = at+1, looked+1 {
		if at == len(hashes) {
			if to != math.MaxUint64 {
				page.Next = to + 1
			}
			break
		}
		if len(page.Items) >= max(q.Count, 1) || looked == scanLooks || page.bytes >= wire.BatchBytes {
			page.Next = hashes[at]
			break
		}
		page.add(hashes[at])
	}
	if page.hidden || !c.State.ActsBy(id) || c.State.View() != v {
		return p, errs.ErrUnsettled
	}
	return page.ScanPage, nil
}

// scanning is a page that is being made.
type scanning struct {
	wire.ScanPage
	*Part
	query wire.ScanQuery
	enc   wire.Encoding
	now   int64
	bytes int
	twins []*store.Entry

	hidden bool // of a key it cannot be told whether it has a value
}

// add adds the keys of a hash.
func (p *scanning) add(hash uint64) {
	if p.copies != nil {
		own, shown := p.copies.Standing(hash)
		if p.hidden = p.hidden || own && !shown; !shown {
			return // another member's, of which this one holds a copy
		}
	}
	p.twins = p.Store.Twins(hash, p.now, p.twins[:0])
	for _, e := range p.twins {
		until := FreshUntil(e)
		if e.Negative || !p.Reads(e, p.enc) || until != 0 && p.now >= until || !strings.HasPrefix(e.Key, p.query.Prefix) {
			continue
		}
		it := wire.ScanItem{Hash: hash, Key: e.Key}
		if until != 0 {
			it.Left = time.Duration(until - p.now)
		}
		if p.query.Values && (p.bytes == 0 || p.bytes+len(e.Data) <= wire.BatchBytes) && p.Fits(e) {
			it.Value, it.Has = e.Data, true
		}
		p.bytes += len(it.Key) + len(it.Value)
		p.Items = append(p.Items, it)
	}
}
