package origin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

func began(t *testing.T, s *stage, want ...string) {
	t.Helper()
	if !slices.Equal(s.started, want) {
		t.Errorf("loads that began: %v, want %v", s.started, want)
	}
}

func wentWell(t *testing.T, s *stage, key string) {
	t.Helper()
	if err, ended := s.errs[key]; err != nil || !ended {
		t.Errorf("%s: ended %v, %v", key, ended, err)
	}
}

func TestNoTurnsBoundNothing(t *testing.T) {
	if NewTurns(0, 5) != nil {
		t.Error("turns without a bound")
	}
	onStage(t, 0, 0, func(t *testing.T, s *stage) {
		for _, key := range []string{"a", "b", "c"} {
			s.load(t.Context(), key, s.waits())
		}
		began(t, s, "a", "b", "c")
		for _, key := range s.started {
			s.end(key)
			wentWell(t, s, key)
		}
		p, batch := s.waits(), new(Place)
		s.Turn.hurry(p, true)
		s.Turn.Carry(batch, p)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if late, stop := s.LastCall(ctx); late != nil {
			t.Error("a last call where nothing waits for its turn")
		} else {
			stop()
		}
	})
}

// No more run at once than may, a turn goes on to whoever waits, and comes back if nobody does.
func TestTurnsGoOn(t *testing.T) {
	onStage(t, 2, 5, func(t *testing.T, s *stage) {
		places := make(map[string]*Place)
		for _, key := range []string{"a", "b", "c", "d"} {
			places[key] = s.waits()
			s.load(t.Context(), key, places[key])
		}
		began(t, s, "a", "b")
		for key, p := range places {
			if want := key == "c" || key == "d"; p.Queued.Load() != want {
				t.Errorf("%s waits for its turn: %v", key, !want)
			}
		}
		s.end("a")
		began(t, s, "a", "b", "c")
		if places["c"].Queued.Load() {
			t.Error("c runs, and is said to wait")
		}
		s.end("c")
		s.end("b")
		s.end("d")
		began(t, s, "a", "b", "c", "d")
		for _, key := range []string{"e", "f", "g"} { // two turns are there again, and no more
			s.load(t.Context(), key, s.waits())
		}
		began(t, s, "a", "b", "c", "d", "e", "f")
		s.end("e")
		s.end("f")
		s.end("g")
		for key, err := range s.errs {
			if err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
	})
}

// Whom somebody waits for goes first, and whoever comes to be waited for joins those at the end.
func TestWhoIsWaitedForGoesFirst(t *testing.T) {
	onStage(t, 1, 9, func(t *testing.T, s *stage) {
		late := new(Place)
		s.load(t.Context(), "a", s.waits())
		s.load(t.Context(), "refresh", new(Place))
		s.load(t.Context(), "late", late)
		s.load(t.Context(), "b", s.waits())
		s.HurryUp(t.Context(), late)
		s.HurryUp(t.Context(), late) // once more changes nothing
		s.load(t.Context(), "c", s.waits())
		for _, key := range []string{"a", "b", "late", "c", "refresh"} {
			s.end(key)
			wentWell(t, s, key)
		}
		began(t, s, "a", "b", "late", "c", "refresh")
	})
}

// When too many wait, those that somebody waits for take the places of refreshes, the
// latest first; nobody takes another's.
func TestFullQueue(t *testing.T) {
	onStage(t, 1, 2, func(t *testing.T, s *stage) {
		overloaded := func(key string, want bool) {
			t.Helper()
			err := s.errs[key]
			if errors.Is(err, errs.ErrOverloaded) != want {
				t.Errorf("%s: %v", key, err)
			}
			if want && !strings.Contains(err.Error(), "1 loads run and 2 wait") {
				t.Errorf("%s: %v", key, err)
			}
		}
		s.load(t.Context(), "a", s.waits())
		s.load(t.Context(), "old", new(Place))
		overloaded("old", false)
		s.load(t.Context(), "young", new(Place))
		overloaded("young", false)
		s.load(t.Context(), "one more", new(Place)) // does not push out its like
		overloaded("one more", true)
		overloaded("old", false)
		overloaded("young", false)
		s.load(t.Context(), "b", s.waits())
		overloaded("young", true)
		overloaded("old", false)
		s.load(t.Context(), "c", s.waits())
		overloaded("old", true)
		s.load(t.Context(), "d", s.waits())
		overloaded("d", true)
		for _, key := range []string{"a", "b", "c"} {
			s.end(key)
		}
		began(t, s, "a", "b", "c")
	})
}

// A load whose caller gives up leaves the queue: its turn would be lost.
func TestGivingUpLeavesTheQueue(t *testing.T) {
	onStage(t, 1, 1, func(t *testing.T, s *stage) {
		s.load(t.Context(), "a", s.waits())
		for _, p := range []*Place{s.waits(), new(Place)} {
			ctx, cancel := context.WithCancel(t.Context())
			s.load(ctx, "b", p)
			cancel()
			synctest.Wait()
			err := s.errs["b"]
			if !errors.Is(err, errs.ErrOverloaded) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 loads run") || p.Queued.Load() {
				t.Errorf("%v, queued %v", err, p.Queued.Load())
			}
		}
		s.load(t.Context(), "c", s.waits())
		s.end("a")
		s.end("c")
		began(t, s, "a", "c")
	})
}

// A turn that came in the moment in which the caller gave up is used, or given on.
func TestTurnAndEndAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1, 1)
		a, b := new(Place), new(Place)
		ctx, cancel := context.WithCancel(t.Context())
		if err := turns.take(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		turned := make(chan error, 1)
		go func() { turned <- turns.take(ctx, b) }()
		synctest.Wait()
		turns.mu.Lock() // both come before it looks
		cancel()
		turns.mu.Unlock()
		turns.give(a)
		synctest.Wait()
		if err := <-turned; (err == nil) != b.turn {
			t.Errorf("%v, and it has a turn: %v", err, b.turn)
		}
	})
}

// Two rules of loads for which a loader with a turn waits: they need none, and end none.
func TestNestedLoadsNeedNoTurn(t *testing.T) {
	onStage(t, 1, 3, func(t *testing.T, s *stage) {
		inside := s.withTurn(t.Context())
		before, queued, refresh := new(Place), s.waits(), new(Place)
		s.load(t.Context(), "a", s.waits())
		s.load(t.Context(), "queued", queued)
		s.load(t.Context(), "refresh", refresh)
		s.HurryUp(inside, before)
		s.load(inside, "nested", before)
		began(t, s, "a", "nested")
		s.HurryUp(inside, queued, refresh)
		synctest.Wait()
		if got := len(s.started); got != 4 || queued.Queued.Load() || refresh.Queued.Load() {
			t.Errorf("%v began: a loader waits for those that stand in its own queue", s.started)
		}
		s.HurryUp(t.Context(), before) // free it stays
		s.load(t.Context(), "b", s.waits())
		for _, key := range []string{"nested", "queued", "refresh"} { // no turn of theirs to give
			s.end(key)
		}
		if got := len(s.started); got != 4 {
			t.Errorf("%v began: who had no turn gave one on", s.started)
		}
		s.end("a")
		s.end("b")
		began(t, s, append(slices.Clone(s.started[:4]), "b")...)
	})
}

// Another who waits for a load that needs no turn does not take that from it.
func TestFreeStaysFree(t *testing.T) {
	onStage(t, 1, 0, func(t *testing.T, s *stage) {
		p := new(Place)
		s.HurryUp(s.withTurn(t.Context()), p)
		s.HurryUp(t.Context(), p)
		s.load(t.Context(), "a", s.waits())
		s.load(t.Context(), "nested", p)
		began(t, s, "a", "nested")
		s.end("nested")
		s.end("a")
	})
}

// A batch goes as the most urgent of its loads does.
func TestCarry(t *testing.T) {
	onStage(t, 1, 9, func(t *testing.T, s *stage) {
		idle, urgent, free := new(Place), new(Place), new(Place)
		s.load(t.Context(), "a", s.waits())
		s.load(t.Context(), "idle", idle)
		s.load(t.Context(), "urgent", urgent)
		s.load(t.Context(), "free", free)
		s.Turn.Carry(idle, new(Place)) // nobody waits for what it carries
		s.Turn.Carry(urgent, s.waits())
		nested := new(Place)
		s.HurryUp(s.withTurn(t.Context()), nested)
		s.Turn.Carry(free, nested)
		synctest.Wait()
		began(t, s, "a", "free")
		for _, key := range []string{"free", "a", "urgent", "idle"} {
			s.end(key)
		}
		began(t, s, "a", "free", "urgent", "idle")
	})
}

func TestHeldTurns(t *testing.T) {
	ctx := t.Context()
	if Held(ctx) != nil || HoldsTurn(ctx, "g") {
		t.Error("a turn that nobody has")
	}
	g := &Origin{Group: "g", Turn: NewTurns(1, 1)}
	h := &Origin{Group: "h", Turn: NewTurns(1, 1)}
	free := &Origin{Group: "free"}
	if free.withTurn(ctx) != ctx {
		t.Error("a turn of a group that has none")
	}
	both := h.withTurn(g.withTurn(ctx))
	if !HoldsTurn(both, "g") || !HoldsTurn(both, "h") || HoldsTurn(both, "i") {
		t.Errorf("%+v", Held(both))
	}
	if g.withTurn(both) != both {
		t.Error("a turn is noted twice")
	}
}

func TestShortlyBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if early, cancel := ShortlyBefore(context.Background()); early != nil {
			t.Error("shortly before no deadline")
		} else {
			cancel()
		}
		start := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), 80*time.Millisecond)
		defer stop()
		early, cancel := (&Origin{Turn: NewTurns(1, 1)}).LastCall(ctx)
		defer cancel()
		<-early
		if got := time.Since(start); got != 70*time.Millisecond {
			t.Errorf("after %v", got)
		}
		if got := Margin(time.Minute); got != lastCallMost {
			t.Errorf("Margin = %v", got)
		}
	})
}
