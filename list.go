package cachemesh

import (
	"encoding/binary"
	"iter"
	"slices"

	"github.com/praveenduddu/cachemesh/httppool"
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

// packKeys appends the list of the keys with these indexes.
func (b *batch) packKeys(list []byte, indexes []int32) []byte {
	size := 0
	for _, i := range indexes {
		size += binary.MaxVarintLen16 + len(b.keys[i])
	}
	list = slices.Grow(list, size)
	for _, i := range indexes {
		list = binary.AppendUvarint(list, uint64(len(b.keys[i])))
		list = append(list, b.keys[i]...)
	}
	return list
}

// runs cuts indexes of keys into runs that fit one call.
func (b *batch) runs(indexes []int32) iter.Seq[[]int32] {
	return cut(indexes, func(i int32) int { return len(b.keys[i]) })
}

// parseKeys returns the keys of a list, copied. It reports false if the list is
// malformed, has an invalid key or more than batchKeys.
func parseKeys(list []byte) (keys []string, ok bool) {
	for len(list) > 0 {
		var b []byte
		if b, list, ok = cutBytes(list); !ok || len(keys) == batchKeys {
			return nil, false
		}
		key := string(b)
		if checkKey(key) != nil {
			return nil, false
		}
		keys = append(keys, key)
	}
	return keys, true
}

// cutBytes splits a length and as many bytes off a list.
func cutBytes(list []byte) (b, rest []byte, ok bool) {
	size, n := binary.Uvarint(list)
	if n <= 0 || size > uint64(len(list)-n) {
		return nil, nil, false
	}
	return list[n : n+int(size)], list[n+int(size):], true
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

// appendStale appends what an answer with flagStale has for a body: the time since
// the value's TTL has passed, what the loader said with its length, and the value.
func appendStale(dst []byte, o *httppool.Response) []byte {
	dst = binary.AppendUvarint(dst, o.Version)
	dst = binary.AppendUvarint(dst, uint64(len(o.Message)))
	dst = append(dst, o.Message...)
	return append(dst, o.Value...)
}

// cutStale undoes appendStale in the Value of a response. It reports false if
// that is malformed.
func cutStale(resp *httppool.Response) bool {
	age, n := binary.Uvarint(resp.Value)
	if n <= 0 {
		return false
	}
	message, value, ok := cutBytes(resp.Value[n:])
	if ok {
		resp.Version, resp.Message, resp.Value = age, string(message), value
	}
	return ok
}

// nextAnswer splits the first answer off a list. It reports false if there is
// none or it is malformed.
func nextAnswer(list []byte) (a answer, rest []byte, ok bool) {
	if len(list) < 3 {
		return answer{}, nil, false
	}
	body, rest, ok := cutBytes(list[2:])
	return answer{list[0], list[1], body[:len(body):len(body)]}, rest, ok
}

// chunks cuts keys into runs that fit one call.
func chunks(keys []string) iter.Seq[[]string] {
	return cut(keys, func(key string) int { return len(key) })
}

func cut[T any](items []T, size func(T) int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		start, bytes := 0, 0
		for i, item := range items {
			if i > start && (i-start == batchKeys || bytes+size(item) > batchBytes) {
				if !yield(items[start:i]) {
					return
				}
				start, bytes = i, 0
			}
			bytes += size(item)
		}
		if start < len(items) {
			yield(items[start:])
		}
	}
}
