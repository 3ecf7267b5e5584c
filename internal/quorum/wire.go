package quorum

import (
	"encoding/binary"
	"errors"
)

// A word travels as a version byte, then its numbers as uvarints in the order of
// Append, then its lists. Bytes that follow are ignored, so that later releases
// can add to it.
const wordVersion = 1

// MaxWord bounds the bytes of a word on the wire. Bases that do not fit are left
// out: a member without one waits for another who can tell it.
const MaxWord = 256 << 10

// ErrMalformed means that what a peer sent is no word.
var ErrMalformed = errors.New("malformed word on who is in the mesh")

// Append appends the wire form of a word to b.
func (w Word) Append(b []byte) []byte {
	b = append(b, wordVersion, byte(w.Vote), flagsOf(w))
	b = appendString(b, w.From)
	for _, n := range []uint64{w.View, w.Number, w.Last, w.LastView, w.Known, w.Promised,
		uint64(max(w.RightFor, 0)), uint64(max(w.RightLeft, 0)), uint64(max(w.WaitsLeft, 0)), w.TakenIn} {
		b = binary.AppendUvarint(b, n)
	}
	for _, list := range [][]string{w.Unreachable, w.Expelled, w.Forgotten} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, s := range list {
			b = appendString(b, s)
		}
	}
	bases := appendBases(nil, w.Bases)
	if len(b)+len(bases) > MaxWord {
		bases = appendBases(nil, nil)
	}
	return append(b, bases...)
}

func flagsOf(w Word) (flags byte) {
	if w.Base {
		flags |= 1
	}
	if w.WantsBase {
		flags |= 2
	}
	if w.Stands {
		flags |= 4
	}
	if w.Handing {
		flags |= 8
	}
	return flags
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendBases(b []byte, bases []Primary) []byte {
	b = binary.AppendUvarint(b, uint64(len(bases)))
	for _, p := range bases {
		b = binary.AppendUvarint(b, p.Number)
		b = binary.AppendUvarint(b, p.View)
		b = binary.AppendUvarint(b, uint64(len(p.Set)))
		for _, m := range p.Set {
			b = appendString(appendString(appendString(b, m.ID), m.Name), m.Addr)
		}
	}
	return b
}

// Parse reads a word. It keeps no reference to b.
func Parse(b []byte) (Word, error) {
	if len(b) < 3 || len(b) > MaxWord || b[0] != wordVersion || Vote(b[1]) > Yes {
		return Word{}, ErrMalformed
	}
	w := Word{Vote: Vote(b[1]), Base: b[2]&1 != 0, WantsBase: b[2]&2 != 0, Stands: b[2]&4 != 0, Handing: b[2]&8 != 0}
	r := reader{b: b[3:]}
	w.From = r.text()
	w.View, w.Number, w.Last, w.LastView, w.Known, w.Promised = r.number(), r.number(), r.number(), r.number(), r.number(), r.number()
	w.RightFor, w.RightLeft, w.WaitsLeft, w.TakenIn = r.duration(), r.duration(), r.duration(), r.number()
	w.Unreachable, w.Expelled, w.Forgotten = r.list(), r.list(), r.list()
	for range r.count(maxTried + 1) {
		p := Primary{Number: r.number(), View: r.number()}
		for n := r.count(len(r.b)); n > 0 && !r.bad; n-- {
			p.Set = append(p.Set, Member{ID: r.text(), Name: r.text(), Addr: r.text()})
		}
		w.Bases = append(w.Bases, p)
	}
	if r.bad {
		return Word{}, ErrMalformed
	}
	return w, nil
}

// reader takes a word apart. After something malformed it returns zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || r.bad {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

// maxLeft bounds what a peer can make this member wait.
const maxLeft = int64(24 * 3600 * 1e9)

func (r *reader) duration() int64 { return int64(min(r.number(), uint64(maxLeft))) }

func (r *reader) count(limit int) int {
	n := r.number()
	if n > uint64(limit) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count(len(r.b)) // that many may be left, before the number itself
	if r.bad || n > len(r.b) {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) list() (list []string) {
	for range r.count(maxListed) {
		list = append(list, r.text())
	}
	return list
}
