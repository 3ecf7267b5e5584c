package hotcache

// Invalidate removes the copies of the keys of a hash. When it returns, no Get that starts later returns a copy from before, and no
// fetch of the key that began before the call keeps one. It waits for no fetch and does not allocate.
// now, about the time, tells for how long it is remembered that a copy was of no use.
//
// The schedules it defends against are at find, which reads without a lock, and at publish. One more: 1. a fetch
// begins; 2. Invalidate marks it and returns; 3. a second fetch of the same key begins, is answered and keeps the
// new value; 4. the first answer arrives, with the old one. The mark is a count, so that the second fetch, which began
// after it, does not wash it off the first.
func (c *Cache) Invalidate(hash uint64, now int64) {
	if c == nil {
		return
	}
	// Without a table no fetch has begun: one that is just beginning will be sent after this load, and is then answered
	// from what the owner installed before it called here.
	t := c.table.Load()
	if t == nil {
		return
	}
	place := c.scatter.Of(hash)
	s, st := t.set(place), t.stripe(place)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.marks.Add(1)
	for i := range s.ways {
		if h := s.ways[i].Load(); h != nil && h.hash == hash {
			c.removeLocked(s, h)
			c.invalidated.Add(1)
			c.judge(place, h, now)
		}
	}
}

// InvalidateAll is Invalidate of every key: for a Clear, after a suspension, when the owners' promises are in doubt.
func (c *Cache) InvalidateAll() {
	if c == nil {
		return
	}
	if t := c.table.Load(); t != nil {
		c.clear(t)
	}
}

func (c *Cache) clear(t *table) {
	for i := range t.stripes {
		c.clearStripe(t, i)
	}
}

// clearStripe marks all fetches of a stripe and removes its copies, as one step.
func (c *Cache) clearStripe(t *table, n int) {
	st := &t.stripes[n]
	st.mu.Lock()
	defer st.mu.Unlock()
	st.marks.Add(1)
	for i := n; i < len(t.sets); i += len(t.stripes) {
		s := &t.sets[i]
		for h := s.leastLocked(); h != nil; h = s.leastLocked() {
			c.removeLocked(s, h)
			c.invalidated.Add(1)
		}
	}
}

// Retain removes the copies for which keep returns false, because the view changed and with it the owner of their keys.
// When it returns, no Get that starts later returns such a copy, and no fetch whose Begin returned earlier keeps one,
// whoever its owner: fetches in flight across a change of view are few, and asking again is cheap.
//
// keep is called under no lock, by this goroutine alone, and may call the Cache.
func (c *Cache) Retain(keep func(hash uint64, owner string) bool) {
	if c == nil {
		return
	}
	// The schedule it defends against: 1. Retain marks the fetches and passes a set; 2. a fetch with the former owner
	// begins, unmarked; 3. it is answered and kept in the set passed; 4. Retain returns. So while Retain runs, fetches
	// begin barred, and nothing is published behind it. The bar comes before the marks: see Begin.
	c.barred.Add(1)
	defer c.barred.Add(-1)
	t := c.table.Load()
	if t == nil {
		return
	}
	for i := range t.stripes {
		t.stripes[i].mark()
	}
	for i := range t.sets {
		s := &t.sets[i]
		if s.tags.Load() == 0 {
			continue
		}
		for w := range s.ways {
			if h := s.ways[w].Load(); h != nil && !keep(h.hash, h.session.Owner) {
				c.invalidate(t, h)
			}
		}
	}
}

// mark marks all fetches of the stripe. With the lock, so that a Keep that found no mark has published when it returns.
func (st *stripe) mark() {
	st.mu.Lock()
	st.marks.Add(1)
	st.mu.Unlock()
}

// invalidate removes h, unless it is gone or replaced.
func (c *Cache) invalidate(t *table, h *hotCopy) {
	place := c.scatter.Of(h.hash)
	st := t.stripe(place)
	st.mu.Lock()
	defer st.mu.Unlock()
	if c.removeLocked(t.set(place), h) {
		c.invalidated.Add(1)
	}
}

// Close removes all copies and frees the memory, for good: later calls find, keep and count nothing. It may be called
// at any time and more than once.
func (c *Cache) Close() {
	if c == nil {
		return
	}
	// The schedule it defends against: 1. Begin loads the table; 2. Close marks all fetches; 3. Begin reads the raised
	// count, and Keep would put a copy into a table that nobody clears any more. So the bar comes before the marks.
	c.barred.Add(1) // never lifted
	c.opening.Lock()
	c.closed = true
	t := c.table.Swap(nil)
	c.sketch.rows.Store(nil)
	c.opening.Unlock()
	if t != nil {
		c.clear(t)
	}
}
