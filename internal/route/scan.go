package route

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Scan returns a page of the keys of all members, in the order of their hashes. All act by one
// settled view; until they do it tries again, as Clear. A page goes as far as the member that
// went least far: what others have beyond that comes with the next.
func (c *Router) Scan(ctx context.Context, q wire.ScanQuery) (page wire.ScanPage, err error) {
	var mu sync.Mutex // guards what follows
	var by uint64     // the view
	pages := make(map[string]wire.ScanPage)
	all := everyone{Router: c}
	err = all.tell(ctx, func(ctx context.Context, o *view.Owner, v *view.View) error {
		mine := q
		mine.Count = min(q.Count/len(v.Owners)+1, wire.BatchKeys)
		p, err := all.scan(ctx, o, v, mine)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if by != v.ID {
			by = v.ID
			clear(pages)
		}
		pages[o.ID] = p
		return nil
	})
	if err != nil {
		return page, err
	}
	for _, p := range pages {
		if p.Next != 0 && (page.Next == 0 || p.Next < page.Next) {
			page.Next = p.Next
		}
	}
	for _, p := range pages {
		for _, it := range p.Items {
			if page.Next == 0 || it.Hash < page.Next {
				page.Items = append(page.Items, it)
			}
		}
	}
	slices.SortFunc(page.Items, func(a, b wire.ScanItem) int {
		return cmp.Or(cmp.Compare(a.Hash, b.Hash), cmp.Compare(a.Key, b.Key))
	})
	return page, nil
}

// scan asks one member.
func (c everyone) scan(ctx context.Context, o *view.Owner, v *view.View, q wire.ScanQuery) (p wire.ScanPage, err error) {
	if o.Peer == nil {
		return c.ScanHere(v.ID, q, c.Encoding)
	}
	k := wire.NewCall(wire.OpScan, c.Name, "")
	defer k.Free()
	k.Req.View, k.Req.Value, k.Req.Arg, k.Req.Idempotent = v.ID, q.Pack(), uint64(c.Encoding), true
	a := ask{c.Router, o, k}
	switch err = a.do(ctx); {
	case errors.Is(err, errs.ErrUnknownGroup):
		return p, nil // it holds nothing of it
	case err != nil:
		return p, err
	}
	p, ok := wire.ParseScanPage(k.Resp.Value)
	if !ok {
		err = &errs.PeerError{Op: wire.OpNames[wire.OpScan], Member: o.Name, Addr: o.Addr, Err: errors.New("malformed page")}
	}
	return p, err
}
