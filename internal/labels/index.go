package labels

import (
	"strings"
	"sync"
	"unsafe"
)

// An Index finds labels by tag. Its methods are called concurrently. The zero value is fit for
// use, and has no room for lists.
type Index struct {
	mu      sync.Mutex // guards the fields below, and what is linked of labels
	tags    map[string]*list
	others  list   // of tags for whose lists there is no room
	unknown list   // labels that bear every tag
	stamp   uint64 // of the label that came last
	room    int64  // bytes that lists may take
	lists   int64  // bytes that they do
	bytes   int64  // of the labels that are held
}

// list has links in the order of their labels' stamps.
type list struct {
	name           string // "": it is not in the table
	oldest, newest *link
}

// listBytes is what a list takes besides its name: itself, and a slot of a map that is half
// full, with its pointer.
const listBytes = int64(unsafe.Sizeof(list{})) + 2*(16+8) + 8

func costOf(name string) int64 { return listBytes + rounded(int64(len(name))) }

// SetRoom says how many bytes lists may take from now on, labels aside. Those that are there
// stay.
func (x *Index) SetRoom(bytes int64) {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.room = bytes
}

// Hold lets a label be found from now on, until it is released as often as it was held. A nil
// one is none.
func (l *Label) Hold() {
	if l == nil {
		return
	}
	x := l.in
	x.mu.Lock()
	defer x.mu.Unlock()
	if l.holders++; l.holders > 1 {
		return
	}
	x.stamp++
	l.stamp = x.stamp
	x.bytes += l.Bytes()
	for i := range l.links {
		x.listLocked(l, &l.links[i]).push(&l.links[i])
	}
}

// Release undoes a Hold.
func (l *Label) Release() {
	if l == nil {
		return
	}
	x := l.in
	x.mu.Lock()
	defer x.mu.Unlock()
	if l.holders--; l.holders > 0 {
		return
	}
	x.bytes -= l.Bytes()
	for i := range l.links {
		at := l.links[i].in
		at.remove(&l.links[i])
		if at.oldest == nil && at.name != "" {
			delete(x.tags, at.name)
			x.lists -= costOf(at.name)
		}
	}
}

// listLocked returns the list that a link joins.
func (x *Index) listLocked(l *Label, k *link) *list {
	if l.all {
		return &x.unknown
	}
	if at := x.tags[k.name]; at != nil {
		k.name = at.name // they share the bytes
		return at
	}
	cost := costOf(k.name)
	if x.lists+cost > x.room {
		return &x.others
	}
	if x.tags == nil {
		x.tags = make(map[string]*list)
	}
	at := &list{name: strings.Clone(k.name)}
	x.tags[at.name] = at
	x.lists += cost
	return at
}

// Bytes is what lists take, and of the labels that are held what each takes.
func (x *Index) Bytes() (lists, labels int64) {
	if x == nil {
		return 0, 0
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.lists, x.bytes
}

// Tags is how many tags have a list.
func (x *Index) Tags() int {
	if x == nil {
		return 0
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.tags)
}

func (l *list) push(k *link) {
	k.in, k.older, k.newer = l, l.newest, nil
	if l.newest == nil {
		l.oldest = k
	} else {
		l.newest.newer = k
	}
	l.newest = k
}

func (l *list) remove(k *link) {
	if k.older == nil {
		l.oldest = k.newer
	} else {
		k.older.newer = k.newer
	}
	if k.newer == nil {
		l.newest = k.older
	} else {
		k.newer.older = k.older
	}
	k.in, k.older, k.newer = nil, nil, nil
}
