package store

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestOnGone: every entry that was set is there, or was told of, once.
func TestOnGone(t *testing.T) {
	for name, value := range map[string]int{"small": 64, "keeper": 4000} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			gone, why := make(map[*Entry]bool), make(map[Cause]int)
			s, err := New(Options{MaxBytes: 8 << 20, OnGone: func(e *Entry, c Cause) {
				mu.Lock()
				defer mu.Unlock()
				if gone[e] {
					t.Errorf("%s: told of twice", e.Key)
				}
				gone[e] = true
				why[c]++
			}})
			if err != nil {
				t.Fatal(err)
			}
			sets := 0
			set := func(n int, expires int64) {
				for i := range n {
					e := &Entry{Key: fmt.Sprint("key", i), Data: []byte(strings.Repeat("x", value)), Expires: expires}
					if err := s.Set(uint64(i)*0x9e3779b97f4a7c15, e, 1); err != nil {
						t.Fatal(err)
					}
					sets++
				}
			}
			check := func(left int) {
				t.Helper()
				if s.Len() != left && left >= 0 || len(gone)+s.Len() != sets {
					t.Errorf("%d set, %d gone, %d left; %v", sets, len(gone), s.Len(), why)
				}
			}
			set(100, 0)
			set(100, 0)
			if s.Delete(0, "key0"); why[Replaced] != 100 || why[Deleted] != 1 {
				t.Error(why)
			}
			s.DeleteIf(func(_ uint64, e *Entry) bool { return e.Key < "key5" })
			check(99 - why[Swept])
			set(10, 2)
			for i := range 10 {
				s.Get(uint64(i)*0x9e3779b97f4a7c15, fmt.Sprint("key", i), 3)
			}
			check(-1)
			set(60000, 0)
			check(-1)
			s.Clear()
			check(0)
			set(1000, 0)
			s.Close()
			check(0)
			for _, c := range []Cause{Capacity, Expired, Replaced, Deleted, Swept, Cleared} {
				if why[c] == 0 {
					t.Errorf("nothing was %v: %v", c, why)
				}
			}
		})
	}
}
