package store

import (
	"sync"
	"testing"
)

// TestHitsAreReported counts, by the sample that the store takes, how many uses
// the keeper hears of: up to heatEnd for each entry in each epoch.
func TestHitsAreReported(t *testing.T) {
	s := newEngine(t, "keeper", Options{MaxBytes: 16 << 20})
	keys, hashes := testKeys(20_000)
	for i := range keys {
		mustSet(t, s, hashes[i], &Entry{Key: keys[i], Extra: ExtraOf(100)}, 1)
	}
	k := s.keeper.Load()
	k.reports.Store(1 << 40) // no epoch ends meanwhile
	const rounds = 5
	found := int64(0)
	for range rounds {
		for i := range keys {
			if s.Peek(hashes[i], keys[i], 1) != nil {
				s.Get(hashes[i], keys[i], 1)
				found++
			}
		}
	}
	want := found / rounds * heatEnd
	got := 1<<40 - k.reports.Load()
	if want < 10_000 || got < want*7/10 || got > want*13/10 {
		t.Errorf("%d uses reported, want about %d", got, want)
	}
}

func TestEpochsWrapAround(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 1 << 20})
	s.epoch.Store(1<<32 - epochStep)
	nextEpoch(&s.epoch)
	if got := s.epoch.Load(); got != claimed {
		t.Errorf("the epoch after the last is %x", got)
	}
}

// TestReportsDuringClose closes a keeper while uses are reported to it.
func TestReportsDuringClose(t *testing.T) {
	for range 5 {
		k, _, err := newKeeper(1<<20, 1000)
		if err != nil {
			t.Fatal(err)
		}
		stop, running := make(chan struct{}), make(chan struct{}, 2)
		var readers sync.WaitGroup
		for range 2 {
			readers.Go(func() {
				for hash := uint64(0); ; hash += 1 << 30 {
					k.record(hash)
					if hash == 100<<30 {
						running <- struct{}{}
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			})
		}
		<-running
		<-running
		k.close()
		if k.record(1) {
			t.Error("a closed keeper takes reports")
		}
		close(stop)
		readers.Wait()
	}
}

// TestHotEntriesStay reads a few keys again and again while many others are read
// once and set.
func TestHotEntriesStay(t *testing.T) {
	for _, engine := range engines {
		if engine == "keeper" && raceDetector {
			continue
		}
		s := newEngine(t, engine, Options{MaxBytes: 2 << 20})
		keys, hashes := testKeys(30_000)
		const hot = 200
		read := func(i int) bool {
			if s.Get(hashes[i], keys[i], 1) != nil {
				return true
			}
			mustSet(t, s, hashes[i], &Entry{Key: keys[i], Extra: ExtraOf(1000)}, 1)
			return false
		}
		reads, hits := 0, 0
		for i := hot; i < len(keys); i++ {
			read(i)
			if reads++; read(i % hot) {
				hits++
			}
		}
		if hits*100 < reads*90 {
			t.Errorf("%s: %d of %d reads of hot keys were hits", engine, hits, reads)
		}
	}
}
