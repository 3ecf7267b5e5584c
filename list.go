package cachemesh

import (
	"encoding/binary"
	"iter"
)

// Lists of keys and of answers travel in a call's Value: each key as a uvarint
// length and its bytes, each answer as status, flags, a uvarint length and the
// value or the message.

func appendKeys(dst []byte, keys []string) []byte {
	for _, key := range keys {
		dst = binary.AppendUvarint(dst, uint64(len(key)))
		dst = append(dst, key...)
	}
	return dst
}

// parseKeys returns the keys of a list, copied. It reports false if the list is
// malformed, has an invalid key or more than batchKeys.
func parseKeys(list []byte) (keys []string, ok bool) {
	for len(list) > 0 {
		size, n := binary.Uvarint(list)
		if n <= 0 || size > uint64(len(list)-n) || len(keys) == batchKeys {
			return nil, false
		}
		key := string(list[n : n+int(size)])
		if checkKey(key) != nil {
			return nil, false
		}
		keys, list = append(keys, key), list[n+int(size):]
	}
	return keys, true
}

// An answer is what a peer said about one key of a batch. body aliases the list.
type answer struct {
	status, flags uint8
	body          []byte
}

func appendAnswer(dst []byte, status, flags uint8, body []byte) []byte {
	dst = append(dst, status, flags)
	dst = binary.AppendUvarint(dst, uint64(len(body)))
	return append(dst, body...)
}

// nextAnswer splits the first answer off a list. It reports false if there is
// none or it is malformed.
func nextAnswer(list []byte) (a answer, rest []byte, ok bool) {
	if len(list) < 3 {
		return answer{}, nil, false
	}
	size, n := binary.Uvarint(list[2:])
	if n <= 0 || size > uint64(len(list)-2-n) {
		return answer{}, nil, false
	}
	body := list[2+n : 2+n+int(size)]
	return answer{list[0], list[1], body[:size:size]}, list[2+n+int(size):], true
}

// chunks cuts keys into runs that fit one call.
func chunks(keys []string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		start, bytes := 0, 0
		for i, key := range keys {
			if i > start && (i-start == batchKeys || bytes+len(key) > batchBytes) {
				if !yield(keys[start:i]) {
					return
				}
				start, bytes = i, 0
			}
			bytes += len(key)
		}
		if start < len(keys) {
			yield(keys[start:])
		}
	}
}
