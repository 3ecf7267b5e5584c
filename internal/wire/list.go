package wire

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
)

// Bounds of one call for several keys.
const (
	BatchKeys  = 1024    // keys in one call to a peer
	BatchBytes = 1 << 20 // bytes of keys in one call, and of values in its answer
)

// CheckKey returns ErrInvalidKey, wrapped, if no key can be like this.
func CheckKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("%w: it is empty", errs.ErrInvalidKey)
	case len(key) > MaxKeyLen:
		return fmt.Errorf("%w: it has %d bytes, the limit is %d", errs.ErrInvalidKey, len(key), MaxKeyLen)
	}
	return nil
}

// AppendKeys appends a list of keys to dst.
func AppendKeys(dst []byte, keys []string) []byte {
	for _, key := range keys {
		dst = binary.AppendUvarint(dst, uint64(len(key)))
		dst = append(dst, key...)
	}
	return dst
}

// ParseKeys returns the keys of a list, copied. It reports false if the list is
// malformed, has an invalid key or more than BatchKeys.
func ParseKeys(list []byte) (keys []string, ok bool) {
	for len(list) > 0 {
		var b []byte
		if b, list, ok = CutBytes(list); !ok || len(keys) == BatchKeys {
			return nil, false
		}
		key := string(b)
		if CheckKey(key) != nil {
			return nil, false
		}
		keys = append(keys, key)
	}
	return keys, true
}

// CutBytes splits a length and as many bytes off a list.
func CutBytes(list []byte) (b, rest []byte, ok bool) {
	size, n := binary.Uvarint(list)
	if n <= 0 || size > uint64(len(list)-n) {
		return nil, nil, false
	}
	return list[n : n+int(size)], list[n+int(size):], true
}

// An Answer is what a peer said about one key of a batch. body aliases the list.
type Answer struct {
	Status, Flags uint8
	Body          []byte
}

// AppendAnswer appends one answer to a list.
func AppendAnswer(dst []byte, status, flags uint8, body []byte) []byte {
	dst = append(dst, status, flags)
	dst = binary.AppendUvarint(dst, uint64(len(body)))
	return append(dst, body...)
}

// AppendStale appends what an answer with FlagStale has for a body: the time since
// the value's TTL has passed, what the loader said with its length, and the value.
func AppendStale(dst []byte, o *httppool.Response) []byte {
	dst = binary.AppendUvarint(dst, o.Version)
	dst = binary.AppendUvarint(dst, uint64(len(o.Message)))
	dst = append(dst, o.Message...)
	return append(dst, o.Value...)
}

// CutStale undoes AppendStale in the Value of a response. It reports false if
// that is malformed.
func CutStale(resp *httppool.Response) bool {
	age, n := binary.Uvarint(resp.Value)
	if n <= 0 {
		return false
	}
	message, value, ok := CutBytes(resp.Value[n:])
	if ok {
		resp.Version, resp.Message, resp.Value = age, string(message), value
	}
	return ok
}

// AppendKept appends what an answer with FlagKept has for a body: the time that the value has left, 0 for no end; after
// what time its owner wants to hear of a read, 0 for never; and the value.
func AppendKept(dst []byte, ttl time.Duration, tell uint64, value []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(max(ttl, 0)))
	dst = binary.AppendUvarint(dst, tell)
	return append(dst, value...)
}

// CutKept undoes AppendKept. It reports false if the body is malformed.
func CutKept(body []byte) (ttl time.Duration, tell uint64, value []byte, ok bool) {
	left, n := binary.Uvarint(body)
	if n <= 0 || left > math.MaxInt64 {
		return 0, 0, nil, false
	}
	tell, m := binary.Uvarint(body[n:])
	if m <= 0 {
		return 0, 0, nil, false
	}
	return time.Duration(left), tell, body[n+m:], true
}

// IsPlain reports whether an answer is a value, or that there is none, and nothing beside that.
func (a Answer) IsPlain() bool {
	return (a.Status == StatusOK || a.Status == StatusNotFound) && a.Flags&FlagStale == 0
}

// NextAnswer splits the first answer off a list. It reports false if there is
// none or it is malformed.
func NextAnswer(list []byte) (a Answer, rest []byte, ok bool) {
	if len(list) < 3 {
		return Answer{}, nil, false
	}
	body, rest, ok := CutBytes(list[2:])
	return Answer{list[0], list[1], body[:len(body):len(body)]}, rest, ok
}

// Chunks cuts keys into runs that fit one call.
func Chunks(keys []string) iter.Seq[[]string] {
	return Cut(keys, func(key string) int { return len(key) })
}

// Cut cuts items into runs that fit one call.
func Cut[T any](items []T, size func(T) int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		start, bytes := 0, 0
		for i, item := range items {
			if i > start && (i-start == BatchKeys || bytes+size(item) > BatchBytes) {
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
