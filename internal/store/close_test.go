package store

import (
	"errors"
	"sync"
	"testing"
)

func fill(t *testing.T, s *Store, n int) (keys []string, hashes []uint64) {
	t.Helper()
	keys, hashes = testKeys(n)
	for i := range keys {
		mustSet(t, s, hashes[i], &Entry{Key: keys[i], Extra: ExtraOf(500)}, 1)
	}
	return keys, hashes
}

func TestClear(t *testing.T) {
	for _, engine := range engines {
		s := newEngine(t, engine, Options{MaxBytes: 4 << 20, OnEvict: func(e *Entry, why Cause) {}})
		for range 3 {
			keys, hashes := fill(t, s, 3000)
			if s.Get(hashes[2999], keys[2999], 1) == nil {
				t.Fatalf("%s: not filled", engine)
			}
			s.Clear()
			for i := range keys {
				if s.Get(hashes[i], keys[i], 1) != nil {
					t.Fatalf("%s: key %d is there after Clear", engine, i)
				}
			}
			if s.Len() != 0 || s.Bytes() != s.base+s.keeperBase {
				t.Errorf("%s: %d entries, %d bytes after Clear", engine, s.Len(), s.Bytes())
			}
			checkStore(t, s)
		}
	}
}

func TestClose(t *testing.T) {
	for _, engine := range engines {
		s := newEngine(t, engine, Options{MaxBytes: 4 << 20})
		keys, hashes := fill(t, s, 3000)
		var closers sync.WaitGroup
		for range 3 {
			closers.Go(s.Close)
		}
		closers.Wait()
		if s.Get(hashes[2999], keys[2999], 1) != nil {
			t.Errorf("%s: a closed store finds something", engine)
		}
		for _, e := range []*Entry{{Key: "k"}, {Key: "k", Expires: 1}} {
			if err := s.Set(1, e, 1); !errors.Is(err, ErrClosed) {
				t.Errorf("%s: Set on a closed store: %v", engine, err)
			}
		}
		s.Clear()
		s.Range(1, func(uint64, *Entry) bool { t.Error("a closed store holds something"); return true })
		if s.Delete(hashes[0], keys[0]) || s.Len() != 0 || s.Bytes() != s.base {
			t.Errorf("%s: %d entries, %d bytes after Close", engine, s.Len(), s.Bytes())
		}
	}
}
