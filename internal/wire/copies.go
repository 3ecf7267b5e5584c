package wire

import (
	"encoding/binary"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// What is asked of a holder of copies travels as the holder's epoch, a uvarint, and for each
// request: what is wanted, a byte, the number of the request, a uvarint, the hash of the
// key, 8 bytes, the version, and with CopyStore the value as in a list of values. The answer
// has for each a byte for what became of it, a version, with CopyTooLarge a byte and a uvarint,
// what is in the way, and with CopyFetch another byte, which is 1 if a value follows.

// A CopyRequest is one of them.
type CopyRequest struct {
	Op      byte
	Number  uint64
	Hash    uint64
	Version store.Version
	Value   Packed // of CopyStore
}

// What a request wants. The numbers are those of package replica, and part of the protocol.
const (
	CopyStore byte = 1
	CopyDrop  byte = 2
	CopyFetch byte = 3
)

// CopyTooLarge is CopyAnswer.Result of a value that cannot be held, or sent.
const CopyTooLarge byte = 6

// AppendCopyRequest appends a request, whose value is stored under a key that stands for its
// own.
func AppendCopyRequest(dst []byte, key string, r *CopyRequest) []byte {
	dst = append(dst, r.Op)
	dst = binary.AppendUvarint(dst, r.Number)
	dst = binary.LittleEndian.AppendUint64(dst, r.Hash)
	dst = AppendVersion(dst, r.Version)
	if r.Op == CopyStore {
		dst = AppendParcel(dst, key, &r.Value)
	}
	return dst
}

// CutCopyRequest splits the first request off. What it returns aliases b.
func CutCopyRequest(b []byte) (r CopyRequest, rest []byte, ok bool) {
	if len(b) == 0 {
		return r, nil, false
	}
	r.Op = b[0]
	number, n := binary.Uvarint(b[1:])
	if n <= 0 || len(b) < 1+n+8 {
		return r, nil, false
	}
	r.Number, b = number, b[1+n:]
	r.Hash, b = binary.LittleEndian.Uint64(b), b[8:]
	if r.Version, b, ok = CutVersion(b); ok && r.Op == CopyStore {
		r.Value, b, ok = CutParcel(b)
	}
	return r, b, ok
}

// A CopyAnswer is what became of a request.
type CopyAnswer struct {
	Result  byte
	Version store.Version
	Of      byte   // with CopyTooLarge, what is measured
	Most    uint64 // of it, in bytes
	Found   bool   // Value is what is held
	Value   Packed
}

// AppendCopyAnswer appends an answer to a request.
func AppendCopyAnswer(dst []byte, op byte, a *CopyAnswer) []byte {
	dst = append(dst, a.Result)
	dst = AppendVersion(dst, a.Version)
	if a.Result == CopyTooLarge {
		dst = binary.AppendUvarint(append(dst, a.Of), a.Most)
	}
	if op != CopyFetch {
		return dst
	}
	if !a.Found {
		return append(dst, 0)
	}
	return AppendParcel(append(dst, 1), a.Value.Key, &a.Value)
}

// CutCopyAnswer splits the first answer off, which is one to a request for op.
func CutCopyAnswer(b []byte, op byte) (a CopyAnswer, rest []byte, ok bool) {
	if len(b) == 0 {
		return a, nil, false
	}
	a.Result = b[0]
	if a.Version, b, ok = CutVersion(b[1:]); ok && a.Result == CopyTooLarge {
		b, ok = a.cutLimit(b)
	}
	if !ok || op != CopyFetch {
		return a, b, ok
	}
	if len(b) == 0 || b[0] > 1 {
		return a, nil, false
	}
	if a.Found, b = b[0] == 1, b[1:]; a.Found {
		a.Value, b, ok = CutParcel(b)
	}
	return a, b, ok
}

// cutLimit splits off what is in the way of a value.
func (a *CopyAnswer) cutLimit(b []byte) (rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, false
	}
	most, n := binary.Uvarint(b[1:])
	if n <= 0 || most > 1<<62 {
		return nil, false
	}
	a.Of, a.Most = b[0], most
	return b[1+n:], true
}

// AppendDigestRequest appends what is asked of a digest: where to go on, and the number above which the caller
// numbers what it sends.
func AppendDigestRequest(dst []byte, at store.Place, first uint64) []byte {
	return binary.AppendUvarint(AppendPlace(dst, at), first)
}

// CutDigestRequest undoes AppendDigestRequest. Who knows nothing of the number leaves it out, and at the begin the place, too.
func CutDigestRequest(b []byte) (at store.Place, first uint64, ok bool) {
	if len(b) == 0 {
		return at, 0, true
	}
	if at, b, ok = CutPlace(b); !ok || len(b) == 0 {
		return at, 0, ok
	}
	first, n := binary.Uvarint(b)
	return at, first, n > 0
}

// A DigestPage is a part of a digest: the holder's epoch, a uvarint, its Clear, a version, a
// byte which is 1 if there is more, and then where, as two uvarints, and the lines as
// package replica packs them.
type DigestPage struct {
	Epoch   uint64
	Cleared store.Version
	More    bool
	At      store.Place // where the next page begins
	Lines   []byte
}

// Pack returns a page as it travels.
func (d *DigestPage) Pack() []byte {
	b := binary.AppendUvarint(make([]byte, 0, len(d.Lines)+64), d.Epoch)
	b = AppendVersion(b, d.Cleared)
	if d.More {
		b = AppendPlace(append(b, 1), d.At)
	} else {
		b = append(b, 0)
	}
	return append(b, d.Lines...)
}

// ParseDigestPage undoes Pack. The lines alias b.
func ParseDigestPage(b []byte) (d DigestPage, ok bool) {
	epoch, n := binary.Uvarint(b)
	if n <= 0 {
		return d, false
	}
	d.Epoch = epoch
	if d.Cleared, b, ok = CutVersion(b[n:]); !ok || len(b) == 0 || b[0] > 1 {
		return d, false
	}
	if d.More, b = b[0] == 1, b[1:]; d.More {
		if d.At, b, ok = CutPlace(b); !ok {
			return d, false
		}
	}
	d.Lines = b
	return d, true
}

// AppendPlace appends a place in a store.
func AppendPlace(dst []byte, at store.Place) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, at.Shard), at.From)
}

// CutPlace splits a place off.
func CutPlace(b []byte) (at store.Place, rest []byte, ok bool) {
	for _, field := range []*uint64{&at.Shard, &at.From} {
		u, n := binary.Uvarint(b)
		if n <= 0 {
			return at, nil, false
		}
		*field, b = u, b[n:]
	}
	return at, b, true
}
