package cachemesh

import (
	"context"
	"fmt"
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
	c.bookRoom.Store(room)
	c.node.clock.Start()
	c.origin.Load = func(context.Context, string) (*store.Entry, error) { return nil, errs.ErrNotFound }
	long := func(i int) string { return fmt.Sprint(i, strings.Repeat("k", 4000)) }
	for i := range 3 {
		c.owe(long(i))
		c.owe(long(i))
	}
	if n := c.owed.held(); len(c.owed.keys) != 3 || c.owed.all || n < 3*4000 || n > 3*5000 {
		t.Errorf("3 keys owed: %d noted, %d bytes", len(c.owed.keys), n)
	}
	for i := range maxOwed {
		c.owe(long(i))
	}
	if keys, all := c.owed.take(); !all || len(keys) != 0 || c.owed.held() != 0 {
		t.Errorf("too many keys owed: %d noted, all %t, %d bytes", len(keys), all, c.owed.held())
	}
	c.allShards()
	before := liveBytes()
	for i := range 4096 {
		c.noteTooLarge(long(i))
		c.noteTooLarge(long(i))
	}
	if took, says := liveBytes()-before, c.bookBytes.Load(); says < room/2 || says > room || took > room*5/4+24<<10 {
		t.Errorf("too large keys take %d bytes, said to be %d, the room is %d", took, says, room)
	}
	c.eachShard(c.voidAllLocked)
	if n := c.bookBytes.Load(); n != 0 {
		t.Errorf("%d bytes are counted after all was forgotten", n)
	}
	s := c.shard(1)
	s.mu.Lock()
	for i := range 50 {
		c.registerLocked(s, long(i), "a", 0, 1)
	}
	s.mu.Unlock()
	if n := c.bookBytes.Load(); n < room/2 || n > room {
		t.Errorf("leases take %d bytes of %d", n, room)
	}
	if c.sweepBooks(2); c.bookBytes.Load() != 0 {
		t.Errorf("%d bytes are counted after all leases have lapsed", c.bookBytes.Load())
	}
}
