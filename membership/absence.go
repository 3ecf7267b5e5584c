package membership

import (
	"encoding/binary"
	"errors"
)

// absence is one life of a member that another member saw die.
type absence struct {
	name string
	boot uint64
	life uint32
}

// Absences travel with exchanges of state:
//
//	version 1 byte | number 2 bytes | for each: length of name 1 byte | name | boot 8 bytes | life 4 bytes
//
// Numbers are big endian. There are at most maxLost. Bytes that follow, and other versions, are ignored.
const absenceVersion = 1

var errAbsences = errors.New("list of absences is malformed")

// encodeAbsences returns nil for none.
func encodeAbsences(list []absence) []byte {
	if len(list) == 0 {
		return nil
	}
	b := []byte{absenceVersion}
	b = binary.BigEndian.AppendUint16(b, uint16(len(list)))
	for _, a := range list {
		b = append(b, byte(len(a.name))) // at most maxNameLen
		b = append(b, a.name...)
		b = binary.BigEndian.AppendUint64(b, a.boot)
		b = binary.BigEndian.AppendUint32(b, a.life)
	}
	return b
}

// decodeAbsences reads what a peer sent; it keeps no reference to b.
func decodeAbsences(b []byte) ([]absence, error) {
	if len(b) == 0 || b[0] != absenceVersion {
		return nil, nil
	}
	if len(b) < 3 {
		return nil, errAbsences
	}
	n := int(binary.BigEndian.Uint16(b[1:]))
	if n > maxLost {
		return nil, errAbsences
	}
	b = b[3:]
	list := make([]absence, 0, n)
	for range n {
		if len(b) < 1 || len(b) < 1+int(b[0])+12 {
			return nil, errAbsences
		}
		name, rest := b[1:1+int(b[0])], b[1+int(b[0]):]
		list = append(list, absence{
			name: string(name),
			boot: binary.BigEndian.Uint64(rest),
			life: binary.BigEndian.Uint32(rest[8:]),
		})
		b = rest[12:]
	}
	return list, nil
}
