package replica

import (
	"encoding/binary"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A digest travels as a list of lines, 17 bytes each: the hash, 8 bytes, the version's
// clock, 8 bytes, and a uvarint. Its lowest bit is for a Delete; the rest is which of the
// givers of versions, their primaries and runs, it is by. A giver is told, as a uvarint and
// 4 bytes, behind the first line of a list that has a version of it. A list with more than
// 64 givers has lines of 18 bytes.

// giver is who gave a version.
type giver struct{ primary, run uint32 }

// A Packer makes a list of lines. The zero value is an empty one.
type Packer struct {
	list   []byte
	givers map[giver]uint64
}

// Add adds a line.
func (p *Packer) Add(l Line) {
	if p.givers == nil {
		p.givers = make(map[giver]uint64)
	}
	g := giver{l.Version.Primary, l.Version.Run}
	number, told := p.givers[g]
	if !told {
		number = uint64(len(p.givers))
		p.givers[g] = number
	}
	bits := number << 1
	if l.Deleted {
		bits |= 1
	}
	p.list = binary.LittleEndian.AppendUint64(p.list, l.Hash)
	p.list = binary.LittleEndian.AppendUint64(p.list, l.Version.Clock)
	p.list = binary.AppendUvarint(p.list, bits)
	if !told {
		p.list = binary.AppendUvarint(p.list, uint64(g.primary))
		p.list = binary.LittleEndian.AppendUint32(p.list, g.run)
	}
}

// Len is how many bytes the list has.
func (p *Packer) Len() int { return len(p.list) }

// List returns the list, and begins another.
func (p *Packer) List() []byte {
	list := p.list
	*p = Packer{}
	return list
}

// Unpack returns the lines of a list. It reports false if it is malformed.
func Unpack(list []byte) (lines []Line, ok bool) {
	var givers []giver
	lines = make([]Line, 0, len(list)/17)
	for len(list) > 0 {
		if len(list) < 17 {
			return nil, false
		}
		l := Line{Hash: binary.LittleEndian.Uint64(list), Version: store.Version{Clock: binary.LittleEndian.Uint64(list[8:])}}
		bits, n := binary.Uvarint(list[16:])
		number := bits >> 1
		if n <= 0 || number > uint64(len(givers)) {
			return nil, false
		}
		if list = list[16+n:]; number == uint64(len(givers)) {
			primary, n := binary.Uvarint(list)
			if n <= 0 || primary > 1<<32-1 || len(list) < n+4 {
				return nil, false
			}
			givers = append(givers, giver{uint32(primary), binary.LittleEndian.Uint32(list[n:])})
			list = list[n+4:]
		}
		g := givers[number]
		l.Version.Primary, l.Version.Run, l.Deleted = g.primary, g.run, bits&1 != 0
		if l.Version == (store.Version{}) {
			return nil, false
		}
		lines = append(lines, l)
	}
	return lines, true
}
