package route

import (
	"context"
	"errors"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Remove forgets what goes with a removal, on every member. As Clear it wants all to act by one
// settled view, and tries again until ctx ends. What a minority removed the majority forgets
// with all else of the group: who knows what bears the tags there.
func (c *Router) Remove(ctx context.Context, r owner.Removal) error {
	one := removing{everyone{c, true}, r}
	return one.tell(ctx, one.at)
}

// A removing is one call of Remove.
type removing struct {
	everyone
	what owner.Removal
}

// at removes at one member.
func (c removing) at(ctx context.Context, o *view.Owner, v *view.View) error {
	if o.Peer == nil {
		if c.Origin.Load != nil && c.IsCut() {
			return nil // it holds nothing any more
		}
		return c.RemoveHere(ctx, v.ID, c.what)
	}
	op, list := c.what.Pack()
	k := wire.NewCall(op, c.Name, "")
	defer k.Free()
	k.Req.View, k.Req.Value, k.Req.Idempotent = v.ID, list, true
	if err := (ask{c.Router, o, k}).do(ctx); !errors.Is(err, errs.ErrUnknownGroup) {
		return err
	}
	return nil // a member that does not know the group holds nothing of it
}
