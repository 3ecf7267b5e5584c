package replica

import (
	"runtime"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// nothing holds nothing.
type nothing struct{}

func (nothing) Peek(uint64) *store.Entry                     { return nil }
func (nothing) Set(uint64, *store.Entry) bool                { return true }
func (nothing) Takes(*store.Entry) (Limit, bool)             { return Limit{}, true }
func (nothing) Delete(uint64)                                {}
func (nothing) Range(func(hash uint64, e *store.Entry) bool) {}
func (nothing) Walk(at store.Place, _ func(uint64, *store.Entry)) (store.Place, bool) {
	return at, false
}

func liveHeap() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// What notes take is what Bytes says, about: after a change of view there is one for each key that
// a member gained.
func TestNotesTakeWhatIsSaid(t *testing.T) {
	const keys = 200_000
	c := New(Config{Self: "a", Copies: 3, Held: nothing{}})
	members := []string{"a", "b", "c", "d"}
	c.Adopt(View{ID: 1, Members: members, Owner: func(uint64) string { return "a" },
		Successors: func(_ uint64, n int) []string { return members[:min(n, 4)] }})
	c.Carry(1)
	before := liveHeap()
	for _, from := range members[1:] {
		lines := make([]Line, 1000)
		for at := 0; at < keys; at += len(lines) {
			for i := range lines {
				lines[i] = Line{Hash: uint64(at+i) * 0x9e3779b97f4a7c15, Version: store.Version{Clock: 7}}
			}
			c.Digested(from, c.Epoch(), 1, store.Version{}, lines, at+len(lines) == keys)
		}
	}
	took, says := liveHeap()-before, c.Bytes()
	t.Logf("%d notes take %d bytes, said to be %d", c.Stats().Noted, took, says)
	if c.Stats().Noted != keys || took > says*6/5 || took < says/2 {
		t.Errorf("%d notes of %d keys take %d bytes, said to be %d", c.Stats().Noted, keys, took, says)
	}
	runtime.KeepAlive(c)
}
