package meshtest

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
)

const opGet = 1 // of the peer protocol

const lateRounds = 500 // of each of the two races

// TestDeleteDuringLoad deletes a key while a load of it runs for 500 ms: whoever
// asks after the Delete must not see what that load brings.
func TestDeleteDuringLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stage(t, 1, 5)
		s.Origin.Delay = func() time.Duration { return 250 * time.Millisecond }
		old, flew := 0, new(atomic.Int64)
		for round := range lateRounds {
			key := keys("k", lateRounds)[round]
			s.Origin.Write(key, 1)
			var wg sync.WaitGroup
			for i := range 5 {
				wg.Go(func() {
					if v, err := s.Rows(i).Get(t.Context(), key); err == nil && v == 1 {
						flew.Add(1)
					}
				})
			}
			time.Sleep(time.Duration(260+round%230) * time.Millisecond) // the row was read
			s.Origin.Write(key, 2)
			if err := s.Rows(round%5).Delete(t.Context(), key); err != nil {
				t.Error(err)
			}
			wg.Wait()
			for i := range 5 {
				if v, err := s.Rows(i).Get(t.Context(), key); err != nil || v != 2 {
					old++
				}
			}
		}
		t.Logf("%d rounds, %d Gets shared a load that a Delete overtook: %d old values", lateRounds, flew.Load(), old)
		if old > 0 || flew.Load() == 0 {
			t.Errorf("%d old values; %d Gets shared an overtaken load", old, flew.Load())
		}
	})
}

// TestAnswerDelayedPastDelete holds the answer to a Get that asks for a lease
// until a Delete of the key has returned.
func TestAnswerDelayedPastDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stage(t, 1, 5)
		const held = 100 * time.Millisecond
		s.Calls.HoldAnswers(func(_ string, req *httppool.Request) time.Duration {
			if req.Op == opGet {
				return held
			}
			return 0
		})
		old, late := 0, new(atomic.Int64)
		for round := range lateRounds {
			key := keys("k", lateRounds)[round]
			s.Origin.Write(key, 1)
			if _, err := s.Rows(round%5).Get(t.Context(), key); err != nil {
				t.Error(err)
			}
			var wg sync.WaitGroup
			for i := range 5 {
				wg.Go(func() {
					if v, err := s.Rows(i).Get(t.Context(), key); err == nil && v == 1 {
						late.Add(1)
					}
				})
			}
			time.Sleep(held / 2)
			s.Origin.Write(key, 2)
			began := time.Now()
			if err := s.Rows((round+1)%5).Delete(t.Context(), key); err != nil {
				t.Error(err)
			}
			if time.Since(began) > held/2 {
				t.Fatal("the Delete waited for the answers that it was to overtake")
			}
			wg.Wait()
			for i := range 5 {
				for range 2 { // the second may be a hot copy
					if v, err := s.Rows(i).Get(t.Context(), key); err != nil || v != 2 {
						old++
					}
				}
			}
		}
		t.Logf("%d rounds, %d answers came after the Delete that overtook them: %d old values", lateRounds, late.Load(), old)
		if old > 0 || late.Load() == 0 {
			t.Errorf("%d old values; %d answers were overtaken", old, late.Load())
		}
	})
}
