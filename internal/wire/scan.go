package wire

import (
	"encoding/binary"
	"time"
)

// A ScanQuery asks for keys in the order of their hashes.
type ScanQuery struct {
	From   uint64 // the least hash
	Count  int    // keys that are wanted, about
	Values bool   // with their values
	Prefix string // of the keys
}

// Pack returns a query as it travels.
func (q *ScanQuery) Pack() []byte {
	b := binary.LittleEndian.AppendUint64(nil, q.From)
	b = binary.AppendUvarint(b, uint64(q.Count))
	return append(append(b, flagByte(q.Values)), q.Prefix...)
}

// ParseScanQuery undoes Pack. It reports false if b is malformed.
func ParseScanQuery(b []byte) (q ScanQuery, ok bool) {
	if len(b) < 8 {
		return q, false
	}
	q.From = binary.LittleEndian.Uint64(b)
	count, n := binary.Uvarint(b[8:])
	if n <= 0 || len(b) == 8+n || count > BatchKeys {
		return q, false
	}
	q.Count, q.Values, q.Prefix = int(count), b[8+n] != 0, string(b[8+n+1:])
	return q, len(q.Prefix) <= MaxKeyLen
}

func flagByte(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// A ScanPage is what a member has from a query's hash on.
type ScanPage struct {
	Next  uint64 // all below this hash are in the page; 0: there are no others
	Items []ScanItem
}

// A ScanItem is one key of a page.
type ScanItem struct {
	Hash  uint64
	Key   string
	Left  time.Duration // of its time to live; 0: it has none
	Value []byte        // if Has
	Has   bool          // the value was asked for, and there was room for it
}

// Pack returns a page as it travels.
func (p *ScanPage) Pack() []byte {
	b := binary.LittleEndian.AppendUint64(nil, p.Next)
	for i := range p.Items {
		it := &p.Items[i]
		b = binary.LittleEndian.AppendUint64(b, it.Hash)
		b = binary.AppendUvarint(b, uint64(it.Left))
		b = binary.AppendUvarint(b, uint64(len(it.Key)))
		b = append(append(b, it.Key...), flagByte(it.Has))
		b = binary.AppendUvarint(b, uint64(len(it.Value)))
		b = append(b, it.Value...)
	}
	return b
}

// ParseScanPage undoes Pack. Values alias b. It reports false if b is malformed.
func ParseScanPage(b []byte) (p ScanPage, ok bool) {
	if len(b) < 8 {
		return p, false
	}
	p.Next = binary.LittleEndian.Uint64(b)
	for b = b[8:]; len(b) > 0; {
		var it ScanItem
		if len(b) < 8 {
			return p, false
		}
		it.Hash = binary.LittleEndian.Uint64(b)
		left, n := binary.Uvarint(b[8:])
		if n <= 0 {
			return p, false
		}
		key, rest, ok := CutBytes(b[8+n:])
		if !ok || len(rest) == 0 {
			return p, false
		}
		it.Left, it.Key, it.Has = time.Duration(left), string(key), rest[0] != 0
		if it.Value, b, ok = CutBytes(rest[1:]); !ok || CheckKey(it.Key) != nil || it.Left < 0 {
			return p, false
		}
		p.Items = append(p.Items, it)
	}
	return p, true
}
