// Package labels notes which keys bear which tags, so that those of one tag are found
// without looking at the others.
//
// A [Label] says which tags a key's value bears. Whoever has the value, or remembers that
// others may have it, holds the label: it is in the lists of its tags while somebody does.
// An [Index] has a list for each tag, in the order in which labels came. A tag for whose list
// there is no room shares one with all others of its kind, and labels whose tags nobody knows
// are in a list of their own: nothing is ever missed for want of room.
package labels

import (
	"slices"
	"unsafe"
)

// What a label may say. A value with more tags, or with one that is longer, bears every tag.
const (
	MaxTags   = 64
	MaxTagLen = 1024 // bytes
)

// A Label says which tags the value of a key bears. It does not change. It is in one index.
type Label struct {
	in      *Index
	key     string
	links   []link // one for each tag; of a label that bears all, one without a name
	stamp   uint64 // when it joined the lists; guarded by the index's mu
	holders int32  // guarded by the index's mu
	all     bool   // nobody knows its tags: it bears every one
}

// link is a label's place in the list of a tag. What is not its name is guarded by the
// index's mu.
type link struct {
	name         string
	label        *Label
	in           *list
	newer, older *link
}

// New returns the label of a key whose value bears tags; nil if it bears none. Tags that are
// empty or twice there do not count. The key is kept.
func (x *Index) New(key string, tags []string) *Label {
	names := make([]string, 0, len(tags))
	for _, tag := range tags {
		if tag == "" || slices.Contains(names, tag) {
			continue
		}
		if len(names) == MaxTags || len(tag) > MaxTagLen {
			return x.Unknown(key)
		}
		names = append(names, tag)
	}
	if len(names) == 0 {
		return nil
	}
	l := &Label{in: x, key: key, links: make([]link, len(names))}
	for i, name := range names {
		l.links[i] = link{name: name, label: l}
	}
	return l
}

// Unknown returns the label of a key whose tags nobody knows: it bears every one.
func (x *Index) Unknown(key string) *Label {
	l := &Label{in: x, key: key, links: make([]link, 1), all: true}
	l.links[0].label = l
	return l
}

// Bears reports whether the value has the tag. A nil label bears none.
func (l *Label) Bears(tag string) bool {
	if l == nil || l.all {
		return l != nil
	}
	for i := range l.links {
		if l.links[i].name == tag {
			return true
		}
	}
	return false
}

// BearsAny reports whether the value has one of the tags.
func (l *Label) BearsAny(tags []string) bool {
	return l != nil && slices.ContainsFunc(tags, l.Bears)
}

// Key returns the key whose value bears the tags.
func (l *Label) Key() string { return l.key }

// Bytes is what the label takes, with the names of its tags, and without its key. The names
// count though others may share them.
func (l *Label) Bytes() int64 {
	if l == nil {
		return 0
	}
	n := rounded(int64(unsafe.Sizeof(*l))) + rounded(int64(len(l.links))*int64(unsafe.Sizeof(link{})))
	for i := range l.links {
		n += rounded(int64(len(l.links[i].name)))
	}
	return n
}

// rounded is what an allocation takes, about: the allocator has steps of 16 bytes, and of an
// eighth for larger ones.
func rounded(n int64) int64 {
	if n > 256 {
		n += n / 8
	}
	return (n + 15) / 16 * 16
}
