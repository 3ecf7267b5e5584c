package wire

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A list of values: for each a uvarint length and the key, the version (its clock, its
// run, its primary as a uvarint), the time left in nanoseconds as a uvarint (0: no limit),
// a flag byte, with flagEncoded the encoding, a uvarint length and the value.

const (
	flagTrace   byte = 1 // a Delete
	flagEncoded byte = 2 // the group has a Version
)

// A Packed value is one of a list. Key and data alias the list.
type Packed struct {
	Key, Data []byte
	Version   store.Version
	Left      time.Duration // 0: no limit
	Trace     bool
	Encoding  Encoding
}

// AppendParcel appends a value to a list, under a key that stands for p's.
func AppendParcel[K string | []byte](body []byte, key K, p *Packed) []byte {
	flags := byte(0)
	if p.Trace {
		flags = flagTrace
	}
	if p.Encoding != 0 {
		flags |= flagEncoded
	}
	body = binary.AppendUvarint(body, uint64(len(key)))
	body = append(body, key...)
	body = binary.LittleEndian.AppendUint64(body, p.Version.Clock)
	body = binary.LittleEndian.AppendUint32(body, p.Version.Run)
	body = binary.AppendUvarint(body, uint64(p.Version.Primary))
	body = binary.AppendUvarint(body, uint64(p.Left))
	body = append(body, flags)
	if p.Encoding != 0 {
		body = binary.LittleEndian.AppendUint64(body, uint64(p.Encoding))
	}
	body = binary.AppendUvarint(body, uint64(len(p.Data)))
	return append(body, p.Data...)
}

// CutParcel splits the first value off a list.
func CutParcel(list []byte) (p Packed, rest []byte, ok bool) {
	p.Key, list, ok = CutBytes(list)
	if !ok || len(p.Key) == 0 || len(p.Key) > MaxKeyLen || len(list) < 12 {
		return p, nil, false
	}
	p.Version.Clock, p.Version.Run = binary.LittleEndian.Uint64(list), binary.LittleEndian.Uint32(list[8:])
	list = list[12:]
	primary, n := binary.Uvarint(list)
	if n <= 0 || primary > math.MaxUint32 {
		return p, nil, false
	}
	p.Version.Primary, list = uint32(primary), list[n:]
	left, n := binary.Uvarint(list)
	if n <= 0 || left > math.MaxInt64 || len(list) <= n {
		return p, nil, false
	}
	flags, list := list[n], list[n+1:]
	p.Left, p.Trace = time.Duration(left), flags&flagTrace != 0
	if flags&flagEncoded != 0 {
		if len(list) < 8 {
			return p, nil, false
		}
		p.Encoding, list = Encoding(binary.LittleEndian.Uint64(list)), list[8:]
	}
	p.Data, rest, ok = CutBytes(list)
	return p, rest, ok && p.Version.Clock != 0
}
