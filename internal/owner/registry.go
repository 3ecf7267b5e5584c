package owner

import (
	"math/bits"
	"slices"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/labels"
	"github.com/praveenduddu/cachemesh/internal/session"
)

// A registry is which members have copies of a shard's keys: by hash, so that keys of one hash
// share a registration, and what recalls one recalls all. It is an open table with linear probing;
// a key that up to three members hold takes a cell. Guarded by the shard's lock.
type registry struct {
	cells []cell
	used  int
	more  map[uint64][]session.Slot // further holders; nil: none

	// labels are those of values of which there are copies: the store may have them no more.
	// Nil in a group without tags.
	labels map[uint64]*labels.Label

	// leaving are registrations that are being taken back for want of room: no copy is granted
	// until that is over, for what was granted meanwhile would be forgotten with the rest.
	leaving    map[uint64]uint64 // the mark of the departure, by hash
	departures uint64
	hand       int // the cell where the last search for them ended
}

// A cell is a registration. A hash of 0 stands for an empty one. It is made of 32-bit words, for it
// takes 24 bytes else.
type cell struct {
	low, high uint32 // of the hash
	end       tick   // when the value ends: no copy is served from then on
	holders   [cellHolders]session.Slot
}

func (c *cell) hash() uint64        { return uint64(c.high)<<32 | uint64(c.low) }
func (c *cell) setHash(hash uint64) { c.low, c.high = uint32(hash), uint32(hash>>32) }

const (
	cellHolders = 4
	cellBytes   = int64(unsafe.Sizeof(cell{}))
	leastCells  = 8
	maxHolders  = 1024    // of a key
	moreBytes   = 64 + 24 // what an entry of registry.more takes, but for its slots
	labelBytes  = 48      // what an entry of registry.labels takes
	hashScatter = 0x9e3779b97f4a7c15
)

// place returns where a hash belongs.
func (r *registry) place(hash uint64) int {
	hi, _ := bits.Mul64(hash*hashScatter, uint64(len(r.cells)))
	return int(hi)
}

// find returns the cell of a hash, -1 for none.
func (r *registry) find(hash uint64) int {
	hash = max(hash, 1)
	if len(r.cells) == 0 {
		return -1
	}
	for i := r.place(hash); ; {
		switch r.cells[i].hash() {
		case hash:
			return i
		case 0:
			return -1
		}
		if i++; i == len(r.cells) {
			i = 0
		}
	}
}

// note adds a holder of a copy that ends at a time. It reports false if there is no room.
func (r *registry) note(hash uint64, slot session.Slot, end tick, room *allowance) bool {
	hash = max(hash, 1)
	i := r.find(hash)
	if i < 0 {
		if !r.grow(room) {
			return false
		}
		c := cell{holders: [cellHolders]session.Slot{slot}, end: end}
		c.setHash(hash)
		r.put(c)
		r.used++
		return true
	}
	c := &r.cells[i]
	later := c.end.later(end)
	if at := slices.IndexFunc(c.holders[:], func(s session.Slot) bool { return s == slot || s == 0 }); at >= 0 {
		c.holders[at], c.end = slot, later
		return true
	}
	if !slices.Contains(r.more[hash], slot) && !r.noteMore(hash, slot, room) {
		return false
	}
	c.end = later
	return true
}

// noteMore adds a holder beyond those in the cell.
func (r *registry) noteMore(hash uint64, slot session.Slot, room *allowance) bool {
	list := r.more[hash]
	cost := int64(0)
	if list == nil {
		cost = moreBytes
	}
	if len(list) == cap(list) {
		cost += 2 * int64(max(2*len(list), 4)-cap(list))
	}
	if len(list)+cellHolders >= maxHolders || cost > 0 && !room.take(cost) {
		return false
	}
	if len(list) == cap(list) {
		list = append(make([]session.Slot, 0, max(2*len(list), 4)), list...)
	}
	if r.more == nil {
		r.more = make(map[uint64][]session.Slot)
	}
	r.more[hash] = append(list, slot)
	return true
}

// grow makes room for another cell: a third more where four fifths are used.
func (r *registry) grow(room *allowance) bool {
	if 5*(r.used+1) <= 4*len(r.cells) {
		return true
	}
	return r.resize(max(leastCells, len(r.cells)+len(r.cells)/3), room)
}

func (r *registry) resize(n int, room *allowance) bool {
	old := r.cells
	if more := cellBytes * int64(n-len(old)); more > 0 && !room.take(more) {
		return false
	} else if more < 0 {
		room.give(-more)
	}
	r.cells = nil
	if n > 0 {
		r.cells = make([]cell, n)
	}
	for _, c := range old {
		if c.hash() != 0 {
			r.put(c)
		}
	}
	return true
}

// put puts a cell where an empty one is.
func (r *registry) put(c cell) {
	i := r.place(c.hash())
	for r.cells[i].hash() != 0 {
		if i++; i == len(r.cells) {
			i = 0
		}
	}
	r.cells[i] = c
}

// take returns the holders of a hash, which are noted no longer. Its label stays.
func (r *registry) take(hash uint64, room *allowance) (holders []session.Slot) {
	i := r.find(hash)
	if i < 0 {
		return nil
	}
	holders = r.holders(nil, i)
	r.remove(i, room)
	delete(r.leaving, max(hash, 1))
	return holders
}

// holders appends those of a cell.
func (r *registry) holders(list []session.Slot, i int) []session.Slot {
	c := &r.cells[i]
	for _, slot := range c.holders {
		if slot != 0 {
			list = append(list, slot)
		}
	}
	return append(list, r.more[c.hash()]...)
}

// remove empties a cell, and closes the gap. The label of its hash stays.
func (r *registry) remove(i int, room *allowance) {
	r.dropMore(r.cells[i].hash(), room)
	r.used--
	n := len(r.cells)
	for j := i; ; {
		if j++; j == n {
			j = 0
		}
		if r.cells[j].hash() == 0 {
			break
		}
		// What stands at j may go to the gap unless it belongs behind that.
		if home := r.place(r.cells[j].hash()); (j-home+n)%n >= (j-i+n)%n {
			r.cells[i] = r.cells[j]
			i = j
		}
	}
	r.cells[i] = cell{}
	if r.used == 0 {
		r.resize(0, room)
	} else if n > 4*leastCells && r.used < n/4 {
		r.resize(n/2, room)
	}
}

func (r *registry) dropMore(hash uint64, room *allowance) {
	if list, ok := r.more[hash]; ok {
		delete(r.more, hash)
		room.give(moreBytes + 2*int64(cap(list)))
	}
}

// sweep forgets the registrations that keep says are of no use any more.
func (r *registry) sweep(room *allowance, keep func(hash uint64, end tick, holders []session.Slot) bool, forgotten func(hash uint64)) {
	var gone []uint64
	var list []session.Slot
	for i := range r.cells {
		c := &r.cells[i]
		if c.hash() == 0 {
			continue
		}
		if list = r.holders(list[:0], i); !keep(c.hash(), c.end, list) {
			gone = append(gone, c.hash())
		}
	}
	for _, hash := range gone {
		r.remove(r.find(hash), room)
		forgotten(hash)
	}
}
