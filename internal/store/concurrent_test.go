package store

import (
	"errors"
	"fmt"
	"math/rand"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// history is what is known about one key while others write it: readers must
// never meet a version older than one that they, or a finished write, saw.
type history struct {
	mu    sync.Mutex   // serialises the writes of this key, as callers do
	next  int          // guarded by mu
	floor atomic.Int64 // no Get that starts now may find a version below
}

// write sets a new version of the key, or deletes it.
func (h *history) write(s *Store, hash uint64, key string, r *rand.Rand) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	version := h.next
	if r.Intn(4) == 0 {
		s.Delete(hash, key)
	} else {
		e := &Entry{Key: key, Data: strconv.AppendInt(nil, int64(version), 10), Extra: ExtraOf(r.Int63n(s.MaxEntry() / 4))}
		if err := s.Set(hash, e, 1); err != nil {
			return err
		}
	}
	h.raise(int64(version))
	return nil
}

// read gets the key and returns an error if what it finds is too old.
func (h *history) read(s *Store, hash uint64, key string) error {
	floor := h.floor.Load()
	e := s.Get(hash, key, 1)
	if e == nil {
		return nil
	}
	version, err := strconv.ParseInt(string(e.Data), 10, 64)
	if err != nil || e.Key != key {
		return fmt.Errorf("%q: found %q, %q", key, e.Key, e.Data)
	}
	if version < floor {
		return fmt.Errorf("%q: found version %d after %d was written or read", key, version, floor)
	}
	h.raise(version)
	return nil
}

func (h *history) raise(version int64) {
	for {
		old := h.floor.Load()
		if old >= version || h.floor.CompareAndSwap(old, version) {
			return
		}
	}
}

// raceOver runs readers, writers and the callers of other methods against a store
// until its writers have done their work or the store is closed.
func raceOver(t *testing.T, s *Store, other func(r *rand.Rand, round int)) {
	const keys, writes = 64, 4000
	histories := make([]history, keys)
	name := func(i int) (uint64, string) { return hashOf(strconv.Itoa(i % 40)), strconv.Itoa(i) } // some are twins
	var writers, others sync.WaitGroup
	done := make(chan struct{})
	for seed := range int64(2) {
		writers.Go(func() {
			r := rand.New(rand.NewSource(seed))
			for range writes {
				i := r.Intn(keys)
				hash, key := name(i)
				if err := histories[i].write(s, hash, key, r); err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					return
				}
			}
		})
		others.Go(func() {
			r := rand.New(rand.NewSource(seed + 10))
			for stopped := false; !stopped; {
				select {
				case <-done:
					stopped = true
				default:
				}
				i := r.Intn(keys)
				hash, key := name(i)
				if err := histories[i].read(s, hash, key); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	others.Go(func() {
		r := rand.New(rand.NewSource(20))
		for round := 0; ; round++ {
			select {
			case <-done:
				return
			default:
				other(r, round)
				if got := s.Bytes(); got > s.max {
					t.Errorf("Bytes() = %d, the budget is %d", got, s.max)
				}
			}
		}
	})
	writers.Wait()
	close(done)
	others.Wait()
}

func TestRaces(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			s := newEngine(t, engine, Options{MaxBytes: 1 << 20, OnEvict: func(*Entry, Cause) {}})
			raceOver(t, s, func(r *rand.Rand, round int) {
				switch round % 5 {
				case 0:
					s.Range(1, func(uint64, *Entry) bool { return true })
				case 1:
					s.DeleteIf(func(hash uint64, _ *Entry) bool { return hash%17 == 0 })
				case 2:
					s.Stats()
				case 3:
					if round%50 == 3 {
						s.Clear()
					}
				}
			})
			checkStore(t, s)
		})
	}
}

func TestRacesWithClose(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			for range 5 {
				s := newEngine(t, engine, Options{MaxBytes: 1 << 20})
				raceOver(t, s, func(_ *rand.Rand, round int) {
					if round == 20 {
						s.Close()
					}
				})
				s.Close()
				if s.Len() != 0 || s.Get(hashOf("1"), "1", 1) != nil {
					t.Error("a closed store holds something")
				}
				checkStore(t, s)
			}
		})
	}
}

// TestDeleteIsFinal races a Delete of a key with the moves of others that its
// older value takes part in.
func TestDeleteIsFinal(t *testing.T) {
	for _, engine := range engines {
		s := newEngine(t, engine, Options{MaxBytes: 1 << 20})
		var writers sync.WaitGroup
		for w := range 2 {
			writers.Go(func() {
				for i := range 3000 {
					key := fmt.Sprintf("%d/%d", w, i%50)
					e := &Entry{Key: key, Extra: ExtraOf(s.MaxEntry() / 8)}
					if err := s.Set(hashOf(key), e, 1); err != nil {
						t.Error(err)
						return
					}
					if i%3 == 0 {
						continue
					}
					s.Delete(hashOf(key), key)
					if s.Get(hashOf(key), key, 1) != nil {
						t.Errorf("%q: found after its Delete", key)
					}
				}
			})
		}
		writers.Wait()
	}
}
