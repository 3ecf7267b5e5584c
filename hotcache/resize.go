package hotcache

import "unsafe"

// Resize gives the cache another budget, and drops all copies: its tables are made for
// the budget. With less than MinBytes it holds nothing. Fetches under way keep nothing.
func (c *Cache) Resize(maxBytes int64) {
	if c == nil {
		return
	}
	// As in Close, the bar comes before the marks.
	c.barred.Add(1)
	defer c.barred.Add(-1)
	c.opening.Lock()
	if c.closed {
		c.opening.Unlock()
		return
	}
	t := c.table.Swap(nil)
	c.sketch.rows.Store(nil)
	c.shape, c.sketch.count = shapeFor(max(maxBytes, MinBytes)), rowsFor(max(maxBytes, MinBytes))
	c.capacity.Store(max(maxBytes-c.shape.bytes()-c.sketch.bytes()-int64(unsafe.Sizeof(*c)), 0))
	c.opening.Unlock()
	if t != nil {
		c.clear(t)
	}
}
