package owner

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// TestNotesAreBounded: very many long keys are owed, or known to be too large, in a
// small group. All that they take is counted, and given back.
func TestNotesAreBounded(t *testing.T) {
	const room = 48 << 10
	c := leasingCore("a")
	c.notes.most.Store(room)
	c.Origin.Load = func(context.Context, string) (*store.Entry, error) { return nil, errs.ErrNotFound }
	long := func(i int) string { return fmt.Sprint(i, strings.Repeat("k", 4000)) }
	for i := range 3 {
		c.Owe(long(i))
		c.Owe(long(i))
	}
	if n := c.Owed.held(); len(c.Owed.keys) != 3 || c.Owed.all || n < 3*4000 || n > 3*5000 {
		t.Errorf("3 keys owed: %d noted, %d bytes", len(c.Owed.keys), n)
	}
	for i := range maxOwed {
		c.Owe(long(i))
	}
	if keys, all := c.Owed.Take(); !all || len(keys) != 0 || c.Owed.held() != 0 {
		t.Errorf("too many keys owed: %d noted, all %t, %d bytes", len(keys), all, c.Owed.held())
	}
	c.allShards()
	before := liveBytes()
	for i := range 4096 {
		c.NoteTooLarge(long(i))
		c.NoteTooLarge(long(i))
	}
	if took, says := liveBytes()-before, c.notes.taken.Load(); says < room/2 || says > room || took > room*5/4+24<<10 {
		t.Errorf("too large keys take %d bytes, said to be %d, the room is %d", took, says, room)
	}
	c.eachShard(c.voidAllLocked)
	if n := c.notes.taken.Load(); n != 0 {
		t.Errorf("%d bytes are counted after all was forgotten", n)
	}
	s := c.shard(1)
	s.mu.Lock()
	for i := range uint64(4000) {
		e := &store.Entry{Key: long(int(i)), Expires: 1}
		c.registerLocked(s, i<<20, e, "a", 0)
	}
	s.mu.Unlock()
	if n := c.notes.taken.Load(); n < room/2 || n > room {
		t.Errorf("registrations take %d bytes of %d", n, room)
	}
	if c.SweepBooks(1 << 30); c.notes.taken.Load() != 0 {
		t.Errorf("%d bytes are counted after all values have ended", c.notes.taken.Load())
	}
}
func liveBytes() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
