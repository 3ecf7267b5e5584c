package meshtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A Group is what traffic uses of a *cachemesh.Group[int].
type Group interface {
	Get(ctx context.Context, key string) (int, error)
	Set(ctx context.Context, key string, v int, ttl time.Duration) error
	Delete(ctx context.Context, keys ...string) error
}

// Traffic reads and writes through every member of a mesh until it is stopped,
// whatever happens to the members meanwhile. Each key has one writer, so that
// versions of a key follow each other; a Ledger judges what readers see.
type Traffic struct {
	Seed    uint64
	Keys    []string // their number is a multiple of Writers
	Origin  *Origin  // written before each Set and Delete; nil: a plain map
	Ledger  *Ledger
	Members int
	Readers int           // per member
	Writers int           // in all; keys are divided among them
	Pause   time.Duration // between two operations of a client, at most; writers take ten times as long
	Timeout time.Duration // of an operation

	// Group returns the group of a member, nil while it is down.
	Group func(member int) Group

	// WriteAt restricts which members a key is written through; nil: all.
	WriteAt func(key string, member int) bool

	// SetsOnly and DeletesOnly leave out the other kind of write.
	SetsOnly, DeletesOnly bool

	stop chan struct{}
	once sync.Once // closes stop
	work sync.WaitGroup

	mu  sync.Mutex // guards out
	out Outcome
}

// An Outcome is what traffic met.
type Outcome struct {
	Reads, Writes, NotFound   int
	ReadErrors, WriteErrors   int
	LongestRead, LongestWrite time.Duration
	LongestReadAt             []time.Duration // by member
	LastReadError             time.Time
	LastWriteError            time.Time
	Samples                   []string // some errors
}

// Start begins. Stop must be called.
func (tr *Traffic) Start() {
	tr.stop = make(chan struct{})
	tr.out.LongestReadAt = make([]time.Duration, tr.Members)
	for i := range tr.Members {
		for r := range tr.Readers {
			tr.work.Go(func() { tr.read(i, rand.New(rand.NewPCG(tr.Seed, uint64(100*i+r)))) })
		}
	}
	for w := range tr.Writers {
		tr.work.Go(func() { tr.write(w, rand.New(rand.NewPCG(tr.Seed, uint64(1_000_000+w)))) })
	}
}

// Stop ends the traffic, waits for what is under way and returns what it met.
func (tr *Traffic) Stop() Outcome {
	tr.once.Do(func() { close(tr.stop) })
	tr.work.Wait()
	return tr.Outcome()
}

// Outcome returns what it met so far.
func (tr *Traffic) Outcome() Outcome {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	out := tr.out
	out.LongestReadAt, out.Samples = slices.Clone(out.LongestReadAt), slices.Clone(out.Samples)
	return out
}

// rest waits between two operations. It reports false when it is time to stop.
func (tr *Traffic) rest(rng *rand.Rand, most time.Duration) bool {
	t := time.NewTimer(1 + time.Duration(rng.Int64N(int64(most))))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-tr.stop:
		return false
	}
}

func (tr *Traffic) read(member int, rng *rand.Rand) {
	for tr.rest(rng, tr.Pause) {
		g := tr.Group(member)
		if g == nil {
			continue
		}
		key := tr.Keys[0] // a hot one
		if rng.IntN(2) == 0 {
			key = tr.Keys[rng.IntN(len(tr.Keys))]
		}
		ctx, cancel := context.WithTimeout(context.Background(), tr.Timeout)
		began := tr.Ledger.Begin()
		var v int
		var err error
		if many, ok := g.(*cachemesh.Group[int]); ok && rng.IntN(4) == 0 {
			v, err = getWith(ctx, many, tr.Keys, key)
		} else {
			v, err = g.Get(ctx, key)
		}
		cancel()
		took := time.Since(began.at)
		notFound := errors.Is(err, cachemesh.ErrNotFound)
		switch {
		case err == nil:
			tr.Ledger.Read(began, member, key, v)
		case notFound && tr.Origin == nil: // a map may forget
		case tr.Group(member) != g: // it was taken down meanwhile
			continue
		}
		tr.mu.Lock()
		tr.out.Reads++
		tr.out.LongestRead = max(tr.out.LongestRead, took)
		tr.out.LongestReadAt[member] = max(tr.out.LongestReadAt[member], took)
		if notFound {
			tr.out.NotFound++
		}
		if err != nil && !(notFound && tr.Origin == nil) {
			tr.out.ReadErrors++
			tr.out.LastReadError = time.Now()
			tr.sampleLocked("get", member, key, took, err)
		}
		tr.mu.Unlock()
	}
}

// write writes the keys of one writer, in turn. The version of a Delete is that
// of the row that the origin has then.
func (tr *Traffic) write(w int, rng *rand.Rand) {
	versions := make(map[string]int)
	for tr.rest(rng, 10*tr.Pause) {
		key := tr.Keys[(rng.IntN(len(tr.Keys))/tr.Writers*tr.Writers+w)%len(tr.Keys)]
		member := rng.IntN(tr.Members)
		g := tr.Group(member)
		isDelete := tr.DeletesOnly || !tr.SetsOnly && rng.IntN(2) == 0
		if g == nil || tr.WriteAt != nil && !tr.WriteAt(key, member) {
			continue
		}
		versions[key] = max(versions[key], tr.Ledger.Newest(key)) + 1
		tr.writeOnce(g, member, key, versions[key], isDelete)
	}
}

func (tr *Traffic) writeOnce(g Group, member int, key string, version int, isDelete bool) {
	ctx, cancel := context.WithTimeout(context.Background(), tr.Timeout)
	defer cancel()
	began := tr.Ledger.Begin()
	if tr.Origin != nil {
		tr.Origin.Write(key, version)
	}
	op, err := "delete", error(nil)
	if isDelete {
		err = g.Delete(ctx, key)
	} else {
		op, err = "set", g.Set(ctx, key, version, 0)
	}
	took := time.Since(began.at)
	if err == nil {
		tr.Ledger.Wrote(began, key, version)
	} else if pe, ok := errors.AsType[*cachemesh.PeerError](err); ok && pe.MaybeApplied && !isDelete {
		tr.Ledger.MaybeWrote(key, version)
	}
	down := tr.Group(member) != g
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.out.Writes++
	tr.out.LongestWrite = max(tr.out.LongestWrite, took)
	if err != nil && !down {
		tr.out.WriteErrors++
		tr.out.LastWriteError = time.Now()
		tr.sampleLocked(op, member, key, took, err)
	}
}

const maxSamples = 10

func (tr *Traffic) sampleLocked(op string, member int, key string, took time.Duration, err error) {
	if len(tr.out.Samples) < maxSamples {
		tr.out.Samples = append(tr.out.Samples, fmt.Sprintf("%s %q at member %d after %v: %v", op, key, member, took, err))
	}
}
