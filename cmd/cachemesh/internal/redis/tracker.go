package redis

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A keeper is a client that keeps keys, and is told of them.
type keeper interface{ push(key string) }

// A leaser asks for a lease on a key as clients see it.
type leaser func(ctx context.Context, key string) (until time.Time, err error)

// A tracker knows which clients keep which keys, and tells them before these change. It stands on
// cachemesh.Lend: this member is told of a change before the change is answered, as long as
// it has a lease on the key, and a client is told when that ends.
type tracker struct {
	clients atomic.Int64 // that have switched tracking on

	mu    sync.Mutex // guards what follows; no client is told under it
	keys  map[string]*tracked
	pairs int // of clients and keys
	keeps map[keeper]int
}

// tracked is a key that clients keep, or are about to.
type tracked struct {
	until time.Time // when the lease ends
	by    map[keeper]trackState
}

type trackState uint8

const (
	onItsWay trackState = iota // the answer has not gone out
	outdated                   // nor has it, and the key has changed since it was read
	kept                       // the client may keep it
)

const (
	mostPairs   = 1 << 20                // of clients and keys
	mostKept    = 100000                 // keys of a client
	renewEvery  = 100 * time.Millisecond // looks for leases that end
	renewBefore = 400 * time.Millisecond // that they do; a lease has a second at most
	renewMost   = 2000                   // in one look
	tellTime    = 500 * time.Millisecond // that a client has to take what it is told; less than a lease
)

// begin notes that a client is about to read a key.
func (t *tracker) begin(c keeper, key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.keys[key]
	if e == nil {
		e = &tracked{by: make(map[keeper]trackState)}
		if t.keys == nil {
			t.keys, t.keeps = make(map[string]*tracked), make(map[keeper]int)
		}
		t.keys[key] = e
	}
	if _, there := e.by[c]; !there {
		t.pairs++
		t.keeps[c]++
	}
	e.by[c] = onItsWay
	if t.pairs > mostPairs || t.keeps[c] > mostKept {
		e.by[c] = outdated // it is told right after the answer, and need not keep it
	}
}

// lend notes until when the member is told of changes of what a client has just read.
func (t *tracker) lend(c keeper, key string, until time.Time) {
	t.mu.Lock()
	e := t.keys[key]
	now := time.Now()
	var late []keeper
	if e != nil && !e.until.IsZero() && !now.Before(e.until) { // what was read under the lease before may be old
		late = t.changedLocked(key, e, c)
	}
	switch {
	case e == nil:
	case !now.Before(until):
		if e.by[c] == onItsWay { // a lease that another has by now says nothing of what this one read
			e.by[c] = outdated
		}
	case until.After(e.until):
		e.until = until
	}
	t.mu.Unlock()
	tell(late, key)
}

// changedLocked takes out the clients that keep a key, and returns whom to tell. Answers on their way
// are outdated, but that of except; their clients are told at once too, for they may keep what they
// read before.
func (t *tracker) changedLocked(key string, e *tracked, except keeper) (keeping []keeper) {
	for c, state := range e.by {
		if state != outdated {
			keeping = append(keeping, c)
		}
		if state == kept {
			t.dropLocked(key, e, c)
		} else if c != except {
			e.by[c] = outdated
		}
	}
	return keeping
}

func (t *tracker) dropLocked(key string, e *tracked, c keeper) {
	if _, there := e.by[c]; !there {
		return
	}
	delete(e.by, c)
	t.pairs--
	if t.keeps[c]--; t.keeps[c] == 0 {
		delete(t.keeps, c)
	}
	if len(e.by) == 0 {
		delete(t.keys, key)
	}
}

// changed tells all clients that keep a key.
func (t *tracker) changed(key string) {
	t.mu.Lock()
	var keeping []keeper
	if e := t.keys[key]; e != nil {
		e.until = time.Time{}
		keeping = t.changedLocked(key, e, nil)
	}
	t.mu.Unlock()
	tell(keeping, key)
}

// all tells all clients to keep nothing.
func (t *tracker) all() {
	t.mu.Lock()
	told := make(map[keeper]struct{})
	for key, e := range t.keys {
		e.until = time.Time{}
		for _, c := range t.changedLocked(key, e, nil) {
			told[c] = struct{}{}
		}
	}
	t.mu.Unlock()
	keeping := make([]keeper, 0, len(told))
	for c := range told {
		keeping = append(keeping, c)
	}
	tell(keeping, "")
}

// tell tells clients of a key, "" for all, and returns when each has been, or is cut off.
func tell(clients []keeper, key string) {
	if len(clients) == 1 {
		clients[0].push(key)
		return
	}
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() { c.push(key) })
	}
	all.Wait()
}

// settle is called as the answers to reads go out: it returns which keys the client must be told
// of right after them, and lets it keep the others.
func (t *tracker) settle(c keeper, keys []string) (told []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		e := t.keys[key]
		switch {
		case e == nil || e.by[c] == kept:
		case e.by[c] == outdated || !time.Now().Before(e.until):
			told = append(told, key)
			t.dropLocked(key, e, c)
		default:
			e.by[c] = kept
		}
	}
	return told
}

// forget forgets a client.
func (t *tracker) forget(c keeper) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.keeps[c] == 0 {
		return
	}
	for key, e := range t.keys {
		t.dropLocked(key, e, c)
	}
}

// run asks for leases anew before they end, and tells the clients of those that cannot be had. It
// ends with ctx.
func (t *tracker) run(ctx context.Context, lease leaser) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if t.clients.Load() > 0 {
				t.renew(ctx, lease, t.ending(renewMost))
			}
		}
	}
}

// ending returns keys whose lease ends soon. Those beyond most, and those whose lease has ended,
// are changed for all that anybody knows.
func (t *tracker) ending(most int) (keys []string) {
	soon, over := time.Now().Add(renewBefore), []string(nil)
	t.mu.Lock()
	for key, e := range t.keys {
		if e.until.IsZero() || e.until.After(soon) {
			continue
		}
		if len(keys) < most && time.Now().Before(e.until) {
			keys = append(keys, key)
		} else {
			over = append(over, key)
		}
	}
	t.mu.Unlock()
	for _, key := range over {
		t.changed(key)
	}
	return keys
}

// renew asks for leases anew. What comes too late, or not at all, is told.
func (t *tracker) renew(ctx context.Context, lease leaser, keys []string) {
	each(len(keys), func(i int) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, renewBefore)
		defer cancel()
		until, err := lease(ctx, keys[i])
		t.mu.Lock()
		e := t.keys[keys[i]]
		good := e != nil && err == nil && time.Now().Before(e.until) && until.After(e.until)
		if good {
			e.until = until
		}
		t.mu.Unlock()
		if !good {
			t.changed(keys[i])
		}
		return good, nil
	})
}
