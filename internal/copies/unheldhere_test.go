package copies

import (
	"errors"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// numbers gives versions.
type numbers struct {
	Values
	last uint64
}

func (n *numbers) NextVersion() store.Version { n.last++; return store.Version{Clock: n.last} }

// TestRoomIsTakenBesideAWrite: what is written is larger than the store takes by when it is to be shown: its caller is told,
// whatever room there is then, and nothing else is shown, nor what was there before.
func TestRoomIsTakenBesideAWrite(t *testing.T) {
	for _, test := range []struct {
		resize  []int64
		refused bool
	}{{nil, false}, {[]int64{1 << 20}, true}, {[]int64{1 << 20, 64 << 20}, false}} {
		c, s, hash := alone(t)
		write := func(size int, meanwhile ...int64) error {
			w, err := c.Here(hash, "key", &store.Entry{Key: "key", Data: make([]byte, size)}, Order{})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Carry(); err != nil {
				t.Fatal(err)
			}
			for _, to := range meanwhile {
				c.Resize(to)
			}
			return w.Install()
		}
		if err := write(100); err != nil {
			t.Fatal(err)
		}
		err := write(1<<20, test.resize...)
		pe, _ := errors.AsType[*errs.PeerError](err)
		if refused := errors.Is(err, errs.ErrTooLarge) && pe != nil && pe.MaybeApplied; refused != test.refused || !refused && err != nil {
			t.Errorf("resized to %d: %v", test.resize, err)
		}
		e := s.PeekHash(hash, c.Clock.Now())
		if held := e != nil && len(e.Data) == 1<<20; held == test.refused || e != nil && len(e.Data) == 100 {
			t.Errorf("resized to %d: it holds %+v", test.resize, e)
		}
		if !c.Shows(hash) {
			t.Errorf("resized to %d: the key is not shown", test.resize)
		}
	}
}
