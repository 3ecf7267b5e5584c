package meshtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// Clients describes what clients do.
type Clients struct {
	Seed    uint64
	Count   int
	Ops     int           // of each client
	Keys    []string      // the first is read far more often than the others
	Pause   time.Duration // between two operations of a client, at most
	Origin  *Origin       // nil: a plain map
	Through bool          // the group has a Writer, and writes go through it alone
	Clears  bool          // clients also clear the group
	Timeout time.Duration // of an operation
	Peeks   bool          // clients also peek
	Removes bool          // clients also delete tags and prefixes

	Refreshes bool // clients also have keys loaded again

	Conditions bool // clients also write on conditions

	// Claims says that the group is a cache without a loader: clients have loaders of their
	// own. That a key has no value in memory says nothing then.
	Claims bool

	// Patience, if not 0, is how long a third of the Gets wait at most.
	Patience time.Duration

	// Stop, once it is closed, ends the clients before each has done Ops.
	Stop <-chan struct{}

	// Excuse says that an operation's error is no failure; nil: none is.
	Excuse func(error) bool
}

// Run lets the clients work until each has done its part. Every value written is
// unique. A client waits while group returns nil.
func (c Clients) Run(h *History, group func(client int) *cachemesh.Group[int]) error {
	errs := make(chan error, c.Count)
	for i := range c.Count {
		go func() { errs <- c.client(i, h, group) }()
	}
	var all []error
	for range c.Count {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

func (c Clients) client(id int, h *History, group func(int) *cachemesh.Group[int]) error {
	rng := rand.New(rand.NewPCG(c.Seed, uint64(id)))
	for n := range c.Ops {
		g := group(id)
		for ; g == nil && !c.stopped(); g = group(id) {
			time.Sleep(time.Millisecond)
		}
		if c.stopped() {
			return nil
		}
		key := c.Keys[0]
		if rng.IntN(3) == 0 {
			key = c.Keys[rng.IntN(len(c.Keys))]
		}
		value := (id+1)*1_000_000 + n + 1
		ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
		err := c.operate(ctx, rng.IntN(100), id, key, value, h, g)
		cancel()
		if err != nil && (c.Excuse == nil || !c.Excuse(err)) {
			return fmt.Errorf("client %d, operation %d on %q: %w", id, n, key, err)
		}
		if c.Pause > 0 {
			time.Sleep(time.Duration(rng.Int64N(int64(c.Pause))))
		}
	}
	return nil
}

func (c Clients) stopped() bool {
	select {
	case <-c.Stop:
		return true
	default:
		return false
	}
}

// operate does one operation: mostly Gets, and as much writing as keeps leases
// and loads in each other's way. Whoever writes the origin tells the mesh.
func (c Clients) operate(ctx context.Context, dice, id int, key string, value int, h *History, g *cachemesh.Group[int]) error {
	if dice < 15 {
		return c.getAll(ctx, id, h, g)
	}
	if c.Peeks && dice < 22 {
		return c.peek(ctx, id, key, h, g)
	}
	if c.Conditions && dice >= 60 && dice < 80 {
		return c.conditional(ctx, dice, id, key, value, h, g)
	}
	if dice < 85 {
		end := h.Begin(id, Input{Kind: Get, Key: key})
		if c.Patience > 0 && dice%3 == 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, c.Patience)
			defer cancel()
		}
		v, err := c.get(ctx, dice, key, g)
		if c.Claims && errors.Is(err, errNotHere) {
			return nil
		}
		if c.Patience > 0 && v == 0 && errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		if err != nil && !isStale(err) && !errors.Is(err, cachemesh.ErrNotFound) {
			return err
		}
		end(Output{Value: v})
		return nil
	}
	if c.Refreshes && dice < 90 {
		return g.Refresh(ctx, key) // what it does to the history are loads
	}
	if c.Removes && dice >= 92 {
		return c.remove(ctx, dice < 98, id, key, value, h, g)
	}
	if c.Clears && dice >= 97 {
		return c.clearAll(ctx, id, h, g)
	}
	if c.Through {
		return c.writeThrough(ctx, dice < 93, id, key, value, h, g)
	}
	if c.Origin != nil {
		end := h.Begin(id, Input{Kind: Write, Key: key, Value: value})
		c.Origin.Write(key, value)
		end(Output{})
	}
	if dice < 93 {
		end := h.Begin(id, Input{Kind: Set, Key: key, Value: value})
		return ended(end, g.Set(ctx, key, value, 0))
	}
	end := h.Begin(id, Input{Kind: Delete, Key: key})
	return ended(end, g.Delete(ctx, key))
}

// errNotHere says that a key has no value in memory.
var errNotHere = errors.New("not here")

// get gets a key: by a loader of the client's own, if clients have such, most of the time.
func (c Clients) get(ctx context.Context, dice int, key string, g *cachemesh.Group[int]) (int, error) {
	if c.Claims && dice%4 != 0 {
		return g.GetOr(ctx, key, c.Origin.Load)
	}
	v, err := g.Get(ctx, key)
	if c.Claims && errors.Is(err, cachemesh.ErrNotFound) {
		err = errNotHere
	}
	return v, err
}

// peek records what is in memory. That nothing is there says nothing.
func (c Clients) peek(ctx context.Context, id int, key string, h *History, g *cachemesh.Group[int]) error {
	end := h.Begin(id, Input{Kind: Peek, Key: key})
	v, err := g.Peek(ctx, key)
	if err == nil {
		end(Output{Value: v})
	} else if !errors.Is(err, cachemesh.ErrNotFound) {
		return err
	}
	return nil
}

// getAll gets all keys with one call, which is a Get of each.
func (c Clients) getAll(ctx context.Context, id int, h *History, g *cachemesh.Group[int]) error {
	ends := make(map[string]func(Output), len(c.Keys))
	for _, key := range c.Keys {
		ends[key] = h.Begin(id, Input{Kind: Get, Key: key})
	}
	values, err := g.GetMany(ctx, c.Keys)
	failed := cachemesh.KeyErrors{}
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	for key, end := range ends {
		if isStale(failed[key]) {
			delete(failed, key)
		}
		if failed[key] == nil && (!c.Claims || values[key] != 0) {
			end(Output{Value: values[key]})
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return err
}

// isStale reports whether a value came with an error.
func isStale(err error) bool {
	_, ok := errors.AsType[*cachemesh.StaleError](err)
	return ok
}

// getWith gets a key with one call for several.
func getWith(ctx context.Context, g *cachemesh.Group[int], keys []string, key string) (int, error) {
	values, err := g.GetMany(ctx, keys)
	if failed, ok := errors.AsType[cachemesh.KeyErrors](err); ok {
		err = failed[key]
	}
	v, found := values[key]
	if err == nil && !found {
		err = cachemesh.ErrNotFound
	}
	return v, err
}

// ended records a write's end. A write that certainly failed is not recorded.
func ended(end func(Output), err error) error {
	if err == nil {
		end(Output{})
		return nil
	}
	if pe, ok := errors.AsType[*cachemesh.PeerError](err); ok && pe.MaybeApplied {
		end(Output{Maybe: true})
	}
	return err
}
