package meshtest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// crashed plays what follows the crash of one of four members, as soon as the others act by their
// view, and the new owners have not heard yet of any copy that they want made.
func crashed(t *testing.T, keys int, play func(t *testing.T, s *Stage)) {
	synctest.Test(t, func(t *testing.T) {
		s, err := NewStage(t.Context(), Config{Seed: 1, Members: 4, Replicas: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for k := range keys {
			if err := s.Values(k%4).Set(t.Context(), counterKey(k), k, 0); err != nil {
				t.Fatal(err)
			}
		}
		hold := func(d time.Duration) {
			s.Calls.HoldAnswers(func(_ string, req *httppool.Request) time.Duration {
				if req.Op == wire.OpCopies {
					return d
				}
				return 0
			})
		}
		hold(3 * time.Second)
		s.Crash(1)
		if err := s.Settle(t.Context(), 0, 2, 3); err != nil {
			t.Fatal(err)
		}
		hidden := int64(0)
		for _, i := range []int{0, 2, 3} {
			hidden += s.Values(i).Stats().Hidden
		}
		if hidden == 0 {
			t.Fatal("no value waits for its copies")
		}
		hold(500 * time.Millisecond)
		play(t, s)
	})
}

// A Scan shows what was answered with nil, though its new owner does not show it yet.
func TestScanOfCopiesAfterACrash(t *testing.T) {
	const keys = 300
	crashed(t, keys, func(t *testing.T, s *Stage) {
		seen, q := make(map[string]bool), cachemesh.ScanQuery{Count: 100}
		for {
			page, err := s.Values(0).Scan(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				seen[item.Key] = true
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		if len(seen) != keys {
			t.Errorf("%d keys of %d", len(seen), keys)
		}
	})
}

// A DeletePrefix removes what was answered with nil, though its new owner does not show it yet:
// nothing comes back.
func TestDeletePrefixOfCopiesAfterACrash(t *testing.T) {
	const keys = 100
	crashed(t, keys, func(t *testing.T, s *Stage) {
		for {
			err := s.Values(0).DeletePrefix(t.Context(), "counter")
			if err == nil {
				break
			}
			t.Log(err)
		}
		s.Calls.HoldAnswers(nil)
		s.whole(t)
		for k := range keys {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if v, err := s.Values(0).Get(ctx, counterKey(k)); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("key %d: %d, %v", k, v, err)
			}
			cancel()
		}
	})
}
