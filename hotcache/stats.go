package hotcache

import (
	"unsafe"
)

// Stats is a picture of a Cache. The counts since New are not taken at one moment.
type Stats struct {
	Copies      int64 // held now, lapsed ones not yet dropped included
	Bytes       int64 // taken now: copies and bookkeeping; never above Options.MaxBytes
	Bookkeeping int64 // the part of Bytes that stays when there is no copy

	Kept        uint64 // fetches that became a copy
	Marked      uint64 // answers not kept: an invalidation came since the fetch began, or it began during a Retain
	OverBudget  uint64 // answers not kept: too large, or no room could be made
	Lapsed      uint64 // answers not kept: the session or the value had ended
	Superseded  uint64 // answers not kept: a copy that was asked for later was there
	Evicted     uint64 // live copies that made room for others
	Invalidated uint64 // copies removed by Invalidate, InvalidateAll, Retain and Close
}

// Stats returns counts and sizes. Zero for a nil *Cache.
func (c *Cache) Stats() Stats {
	if c == nil {
		return Stats{}
	}
	s := Stats{
		Copies:      c.copies.Load(),
		Bookkeeping: int64(unsafe.Sizeof(*c)),
		Kept:        c.kept.Load(),
		Marked:      c.marked.Load(),
		OverBudget:  c.overBudget.Load(),
		Lapsed:      c.lapsed.Load(),
		Superseded:  c.superseded.Load(),
		Evicted:     c.evicted.Load(),
		Invalidated: c.invalidated.Load(),
	}
	if t := c.table.Load(); t != nil {
		s.Bookkeeping += shape{len(t.sets), len(t.stripes)}.bytes()
	}
	if rows := c.sketch.rows.Load(); rows != nil {
		s.Bookkeeping += int64(len(*rows)) * int64(unsafe.Sizeof(row{}))
	}
	s.Bytes = s.Bookkeeping + c.used.Load()
	return s
}
