package wire

import (
	"encoding/binary"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// An If says what a key must have for a change to be made.
type If uint8

const (
	Always     If = iota
	IfAbsent      // no value
	IfPresent     // a value
	IfVersion     // the value of a version
	ifsAreLess    // than this
)

// A Condition says when a change is made, and what else it does.
type Condition struct {
	If      If
	Version store.Version // of IfVersion
	Former  bool          // the value before it is wanted back
	KeepTTL bool          // the new value has the time that the one before it had left
	Touch   bool          // the value stays as it is: only its time is another
	Remove  bool          // the value goes
	Add     bool          // Delta is added to the value
	Delta   int64
}

// OnlyLooks reports whether the condition is never met: what the key has is wanted, and
// nothing is changed.
func (c *Condition) OnlyLooks() bool { return c.If == IfVersion && c.Version == store.Version{} }

// Bits of a condition's second byte.
const (
	condFormer = 1 << iota
	condKeepTTL
	condTouch
	condRemove
	condAdd
)

// versionBytes is what a version takes as it travels.
const versionBytes = 16

// VerdictBytes is what a verdict takes beside its value.
const VerdictBytes = 1 + versionBytes

// AppendVersion appends a version: its clock, its primary and its run.
func AppendVersion(dst []byte, v store.Version) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, v.Clock)
	dst = binary.LittleEndian.AppendUint32(dst, v.Primary)
	return binary.LittleEndian.AppendUint32(dst, v.Run)
}

// CutVersion splits a version off.
func CutVersion(b []byte) (v store.Version, rest []byte, ok bool) {
	if len(b) < versionBytes {
		return v, nil, false
	}
	v.Clock, v.Primary, v.Run = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
	return v, b[versionBytes:], true
}

// Pack returns a condition and a value as they travel: If, the flags as bits, the version of
// IfVersion, Delta as a varint if it is one, and the rest is the value.
func (c *Condition) Pack(value []byte) []byte {
	b := make([]byte, 2, 2+versionBytes+binary.MaxVarintLen64+len(value))
	b[0] = byte(c.If)
	for i, set := range [...]bool{c.Former, c.KeepTTL, c.Touch, c.Remove, c.Add} {
		if set {
			b[1] |= 1 << i
		}
	}
	if c.If == IfVersion {
		b = AppendVersion(b, c.Version)
	}
	if c.Add {
		b = binary.AppendVarint(b, c.Delta)
	}
	return append(b, value...)
}

// ParseCondition undoes Pack. The value aliases b. It reports false if b is malformed.
func ParseCondition(b []byte) (c Condition, value []byte, ok bool) {
	if len(b) < 2 || b[0] >= byte(ifsAreLess) {
		return c, nil, false
	}
	flags := b[1]
	c.If, b = If(b[0]), b[2:]
	c.Former, c.KeepTTL = flags&condFormer != 0, flags&condKeepTTL != 0
	c.Touch, c.Remove, c.Add = flags&condTouch != 0, flags&condRemove != 0, flags&condAdd != 0
	if c.If == IfVersion {
		if c.Version, b, ok = CutVersion(b); !ok {
			return c, nil, false
		}
	}
	if c.Add {
		delta, n := binary.Varint(b)
		if n <= 0 {
			return c, nil, false
		}
		c.Delta, b = delta, b[n:]
	}
	return c, b, true
}

// PutCarried puts what a caller's context carries, and its length, before a request's value.
func PutCarried(req *httppool.Request, carried []byte) {
	b := make([]byte, 0, binary.MaxVarintLen64+len(carried)+len(req.Value))
	b = append(binary.AppendUvarint(b, uint64(len(carried))), carried...)
	req.Flags, req.Value = req.Flags|FlagCarried, append(b, req.Value...)
}

// CutCarried undoes PutCarried. What it returns aliases the request. It reports false if that
// is malformed.
func CutCarried(req *httppool.Request) (carried, value []byte, ok bool) {
	if req.Flags&FlagCarried == 0 {
		return nil, req.Value, true
	}
	return CutBytes(req.Value)
}

// A Verdict is what came of a change on a condition.
type Verdict struct {
	Met     bool          // the change was made
	Found   bool          // Value is what was asked for: the value before, or after Add
	Version store.Version // of what the key has now; zero: nothing
	Value   []byte
}

// Pack returns a verdict as it travels.
func (v *Verdict) Pack() []byte {
	b := make([]byte, 1, VerdictBytes+len(v.Value))
	if v.Met {
		b[0] |= 1
	}
	if v.Found {
		b[0] |= 2
	}
	return append(AppendVersion(b, v.Version), v.Value...)
}

// ParseVerdict undoes Pack. Value aliases b. It reports false if b is malformed.
func ParseVerdict(b []byte) (v Verdict, ok bool) {
	if len(b) == 0 {
		return v, false
	}
	v.Met, v.Found = b[0]&1 != 0, b[0]&2 != 0
	v.Version, v.Value, ok = CutVersion(b[1:])
	return v, ok
}

// An Item is what a member says of a value, beside the time that it has left.
type Item struct {
	Version store.Version
	Age     int64 // nanoseconds since it was stored, by the member's clock
	Size    int64 // bytes that it takes there
	Value   []byte
}

// ItemBytes is what an item takes at most beside its value.
const ItemBytes = versionBytes + 2*binary.MaxVarintLen64

// Pack returns an item as it travels.
func (i *Item) Pack() []byte {
	b := AppendVersion(make([]byte, 0, ItemBytes+len(i.Value)), i.Version)
	b = binary.AppendVarint(b, i.Age)
	b = binary.AppendVarint(b, i.Size)
	return append(b, i.Value...)
}

// ParseItem undoes Pack. Value aliases b. It reports false if b is malformed.
func ParseItem(b []byte) (i Item, ok bool) {
	if i.Version, b, ok = CutVersion(b); !ok {
		return i, false
	}
	for _, field := range []*int64{&i.Age, &i.Size} {
		n := 0
		if *field, n = binary.Varint(b); n <= 0 {
			return i, false
		}
		b = b[n:]
	}
	i.Value = b
	return i, true
}
