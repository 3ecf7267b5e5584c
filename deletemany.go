package cachemesh

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

func (c *groupCore) serveDeleteMany(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
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
		g.Go(func() error { // it waits for leases, for another write or for the Writer
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
