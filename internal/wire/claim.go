package wire

import (
	"encoding/binary"
	"time"
)

// A Token names one claim, and no other, ever: who has it may store a value of its key.
type Token struct {
	ID     uint64 // that the claimant's member gave it, at random, before it asked
	Run    uint32 // of the owner that granted it
	Number uint64 // of the grant in that run
}

// tokenBytes is what a token takes as it travels.
const tokenBytes = 20

// AppendToken appends a token.
func AppendToken(dst []byte, t Token) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, t.ID)
	dst = binary.LittleEndian.AppendUint32(dst, t.Run)
	return binary.LittleEndian.AppendUint64(dst, t.Number)
}

// CutToken splits a token off.
func CutToken(b []byte) (t Token, rest []byte, ok bool) {
	if len(b) < tokenBytes {
		return t, nil, false
	}
	t.ID, t.Run, t.Number = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint64(b[12:])
	return t, b[tokenBytes:], true
}

// A Bid asks for a claim.
type Bid struct {
	ID    uint64
	From  string        // the claimant's member
	Wait  time.Duration // for another's claim
	Hold  time.Duration // 0: the owner's LoadTimeout
	Cache bool          // GroupOptions.Cache, at the claimant's member
}

const bidCache = 1

// Pack returns a bid as it travels: flags, id, Wait and Hold as uvarints, and the rest is the
// member.
func (b *Bid) Pack() []byte {
	flags := byte(0)
	if b.Cache {
		flags |= bidCache
	}
	p := binary.LittleEndian.AppendUint64([]byte{flags}, b.ID)
	p = binary.AppendUvarint(p, uint64(b.Wait))
	p = binary.AppendUvarint(p, uint64(b.Hold))
	return append(p, b.From...)
}

// ParseBid undoes Pack. It reports false if p is malformed.
func ParseBid(p []byte) (b Bid, ok bool) {
	if len(p) < 9 {
		return b, false
	}
	b.Cache, b.ID = p[0]&bidCache != 0, binary.LittleEndian.Uint64(p[1:])
	p = p[9:]
	for _, field := range []*time.Duration{&b.Wait, &b.Hold} {
		u, n := binary.Uvarint(p)
		if n <= 0 {
			return b, false
		}
		*field, p = max(time.Duration(u), 0), p[n:]
	}
	b.From = string(p)
	return b, true
}

// A Grant is the answer to a Bid that won.
type Grant struct {
	Token Token
	Old   bool          // Value is what the key still has
	Age   time.Duration // since the end of its TTL
	Value []byte
}

// Pack returns a grant as it travels: the token, and if there is an old value its age as a
// uvarint, and the rest is the value.
func (g *Grant) Pack() []byte {
	b := AppendToken(make([]byte, 0, tokenBytes+binary.MaxVarintLen64+len(g.Value)), g.Token)
	if !g.Old {
		return b
	}
	return append(binary.AppendUvarint(b, uint64(g.Age)), g.Value...)
}

// ParseGrant undoes Pack. Value aliases b. It reports false if b is malformed.
func ParseGrant(b []byte) (g Grant, ok bool) {
	if g.Token, b, ok = CutToken(b); !ok || len(b) == 0 {
		return g, ok
	}
	age, n := binary.Uvarint(b)
	if n <= 0 {
		return g, false
	}
	g.Old, g.Age, g.Value = true, time.Duration(age), b[n:]
	return g, true
}

// What a Fill says.
const (
	FillValue    uint8 = iota // Rest is the value, the request's TTL is its
	FillOnce                  // Rest is the value, which is not kept
	FillNotFound              // there is none
	FillFailed                // Rest is what the closure said, Flags as in an answer
	FillExtend                // it takes longer: the request's TTL
	FillRelease               // another may have the claim
	FillTooLarge              // the value cannot be sent: those who wait load for themselves
)

// A Fill is what the claimant makes of its claim.
type Fill struct {
	Token Token
	What  uint8
	Flags uint8
	Rest  []byte
}

// Pack returns a fill as it travels: What, Flags, the token and the rest.
func (f *Fill) Pack() []byte {
	b := make([]byte, 0, 2+tokenBytes+len(f.Rest))
	return append(AppendToken(append(b, f.What, f.Flags), f.Token), f.Rest...)
}

// ParseFill undoes Pack. Rest aliases b. It reports false if b is malformed.
func ParseFill(b []byte) (f Fill, ok bool) {
	if len(b) < 2 {
		return f, false
	}
	f.What, f.Flags = b[0], b[1]
	f.Token, f.Rest, ok = CutToken(b[2:])
	return f, ok && f.What <= FillTooLarge
}

// MaxHolding is how many claims one call asks for.
const MaxHolding = 8192

// PackIDs returns the ids of claims as they travel.
func PackIDs(ids []uint64) []byte {
	b := make([]byte, 0, 8*len(ids))
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint64(b, id)
	}
	return b
}

// ParseIDs undoes PackIDs. It reports false if b is malformed.
func ParseIDs(b []byte) (ids []uint64, ok bool) {
	if len(b)%8 != 0 || len(b) > 8*MaxHolding {
		return nil, false
	}
	for ; len(b) > 0; b = b[8:] {
		ids = append(ids, binary.LittleEndian.Uint64(b))
	}
	return ids, true
}

// PackHeld returns which claims are held as that travels.
func PackHeld(held []bool) []byte {
	b := make([]byte, len(held))
	for i, is := range held {
		if is {
			b[i] = 1
		}
	}
	return b
}

// ParseHeld undoes PackHeld, for n claims.
func ParseHeld(b []byte, n int) (held []bool, ok bool) {
	if len(b) != n {
		return nil, false
	}
	for _, is := range b {
		held = append(held, is == 1)
	}
	return held, true
}
