package route

import (
	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// Hit returns the entry of a key that this member holds, as its owner or as a
// hot copy, else nil. now is the time, read after the Get began. The key may alias
// a buffer.
func (c *Router) Hit(hash uint64, key string, now int64) *store.Entry {
	if v := c.State.View(); v != nil {
		return c.hitAt(v, v.Ring.Owner(hash), hash, key, now, nil)
	}
	return nil
}

// hitAt is Hit for several keys of one view and one moment, with the index of the
// key's owner. It counts a Get.
func (c *Router) hitAt(v *view.View, owner int, hash uint64, key string, now int64, list *owner.Due) *store.Entry {
	if owner != v.Self || owner < 0 {
		return c.hotHit(v, hash, key, now)
	}
	if !c.State.Serves(v.OwnStanding(hash), now) {
		return nil
	}
	e := c.Lookup(hash, key, now, list)
	if e != nil {
		c.Stats.Of(hash).Own.Add(1)
	}
	return e
}

// hotHit returns the hot copy of a key that another member owns, else nil.
func (c *Router) hotHit(v *view.View, hash uint64, key string, now int64) *store.Entry {
	e, due := c.Hot.Hit(hash, key, now)
	if e == nil {
		return nil
	}
	c.Stats.Of(hash).Hot.Add(1)
	if due&hotcache.DueSession != 0 {
		c.renew(v.Owner(hash))
	}
	if due&hotcache.DueValue != 0 {
		c.fetchAgain(v.Owner(hash), hash, e.Key)
	}
	return e
}

// peekHere is Hit without its consequences: nothing is counted, refreshed or
// renewed.
func (c *Router) peekHere(hash uint64, key string) *store.Entry {
	v := c.State.View()
	if v == nil {
		return nil
	}
	now := c.Clock.Now()
	if v.Standing(hash) == view.Foreign {
		return c.Hot.Get(hash, key, now)
	}
	return c.Part.Peek(hash, key)
}
