// Package work is what every system is given to do: items, the origin behind
// them, the loop that drives a system, and what was measured.
package work

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// An Item is a key and what is known about its value. It is immutable.
type Item struct {
	Key  string
	Size int
	ID   int    // its place in the list that it came from
	tag  uint64 // hash of the key, which its value repeats
}

// headerSize is the length of what a value begins with: the member that loaded
// it, the tag of its key, and its version.
const headerSize = 17

// A Header is what a value says about itself.
type Header struct {
	From    int    // index of the process whose origin produced the value
	Version uint64 // counts the writes of the item
}

// ErrWrongValue means that a system answered with something that is not the
// value of the key.
var ErrWrongValue = errors.New("wrong value")

// Keys end in their id times an odd number, modulo 2^32: keys that count up
// would all go to one member in rings with a weak hash.
const (
	scramble   = 0x9E3779B1
	unscramble = 0x0E8B2F51 // its inverse modulo 2^32
)

// NewItem makes the id-th item of those with values of size bytes.
func NewItem(size, id int) *Item {
	key := fmt.Sprintf("s%d:%08x", size, uint32(id)*scramble)
	return &Item{Key: key, Size: max(size, headerSize), ID: id, tag: xxhash.Sum64String(key)}
}

// ParseKey returns the item of a key that NewItem made.
func ParseKey(key string) (*Item, error) {
	size, rest, ok := strings.Cut(strings.TrimPrefix(key, "s"), ":")
	n, err := strconv.Atoi(size)
	id, idErr := strconv.ParseUint(rest, 16, 32)
	if !ok || err != nil || idErr != nil {
		return nil, fmt.Errorf("key %q is not an item's", key)
	}
	return NewItem(n, int(uint32(id)*unscramble)), nil
}

// Value makes a new value of the item.
func (it *Item) Value(from int, version uint64) []byte {
	b := make([]byte, it.Size)
	b[0] = byte(from)
	binary.LittleEndian.PutUint64(b[1:], it.tag)
	binary.LittleEndian.PutUint64(b[9:], version)
	for i := headerSize; i < len(b); i++ {
		b[i] = byte(it.tag >> (i & 31))
	}
	return b
}

// Check reports whether b is a value of the item, and what it says. Its errors
// wrap ErrWrongValue.
func (it *Item) Check(b []byte) (Header, error) {
	if len(b) != it.Size || binary.LittleEndian.Uint64(b[1:]) != it.tag || b[len(b)-1] != it.last() {
		return Header{}, fmt.Errorf("%w of %d bytes for %s", ErrWrongValue, len(b), it.Key)
	}
	return Header{From: int(b[0]), Version: binary.LittleEndian.Uint64(b[9:])}, nil
}

func (it *Item) last() byte {
	if it.Size == headerSize {
		return 0
	}
	return byte(it.tag >> ((it.Size - 1) & 31))
}

// A View is a value that hands out copies of its bytes, as the byte views of
// the groupcache family do.
type View interface {
	Len() int
	Copy(dst []byte) int
}

// CheckView is Check without a copy of the whole value.
func CheckView[V View](it *Item, v V) (Header, error) {
	var b [headerSize]byte
	if v.Len() != it.Size || v.Copy(b[:]) != headerSize || binary.LittleEndian.Uint64(b[1:]) != it.tag {
		return Header{}, fmt.Errorf("%w of %d bytes for %s", ErrWrongValue, v.Len(), it.Key)
	}
	return Header{From: int(b[0]), Version: binary.LittleEndian.Uint64(b[9:])}, nil
}
