package meshtest

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"
)

// A Ledger decides, while the mesh is in trouble, whether a Get returned
// something too old. Versions of a key are numbers that grow: one writer per key
// writes them one after the other, a Delete being a version without a value.
//
// A version is superseded when the write of a later one has returned nil. A Get
// that starts later than that plus MaxStale and returns the older version is
// stale. While the members agree, there is no such grace for writes that began
// since they do: see Agree and AgreeAmong.
//
// Its methods are called concurrently.
type Ledger struct {
	maxStale time.Duration
	made     time.Time

	mu     sync.Mutex // guards the fields below
	seq    uint64     // orders what happens at one instant of a bubble's clock
	keys   map[string]*versions
	agreed uint64                // when the members last came to agree; 0: they do not
	among  []int                 // the members that agree; nil: all
	oldest map[int]time.Duration // by member
	reads  int
	late   int
	stale  []StaleRead
	nstale int
}

// versions is what is known of one key.
type versions struct {
	done  []superseding
	loose map[int]bool // Sets that may be applied at any later time
}

// A superseding is a write that returned nil.
type superseding struct {
	version    int
	began, end uint64
	at         time.Time
}

// A Moment is when an operation began.
type Moment struct {
	seq, agreed uint64
	at          time.Time
}

// A StaleRead is a Get that returned what it must not.
type StaleRead struct {
	Member    int
	Key       string
	Got, Want int           // Got is older than Want, which everyone must see
	Age       time.Duration // from when Got was superseded to when the Get began
	Began     time.Duration // of the Get, since the ledger was made
	Agreed    bool          // the members agreed
}

func (s StaleRead) String() string {
	return fmt.Sprintf("at %v member %d read version %d of %q, %v after a later one; want %d or later (members agree: %t)",
		s.Began, s.Member, s.Got, s.Key, s.Age, s.Want, s.Agreed)
}

// NewLedger returns an empty ledger, whose members do not agree yet.
func NewLedger(maxStale time.Duration) *Ledger {
	return &Ledger{maxStale: maxStale, made: time.Now(), keys: make(map[string]*versions), oldest: make(map[int]time.Duration)}
}

// Begin notes that an operation begins.
func (l *Ledger) Begin() Moment {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	return Moment{l.seq, l.agreed, time.Now()}
}

// Agree says that the members agree from now on: a Get must see every write that
// begins from now on and returns nil before it.
func (l *Ledger) Agree() { l.AgreeAmong() }

// AgreeAmong is Agree for Gets at these members, those of the majority's side; none
// means all. What others read has MaxStale's grace.
func (l *Ledger) AgreeAmong(members ...int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	l.agreed, l.among = l.seq, slices.Clone(members)
}

// Disagree says that they may disagree from now on.
func (l *Ledger) Disagree() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.agreed = 0
}

func (l *Ledger) keyLocked(key string) *versions {
	k := l.keys[key]
	if k == nil {
		k = &versions{loose: make(map[int]bool)}
		l.keys[key] = k
	}
	return k
}

// Wrote notes that the write of a version returned nil.
func (l *Ledger) Wrote(began Moment, key string, version int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	k := l.keyLocked(key)
	k.done = append(k.done, superseding{version, began.seq, l.seq, time.Now()})
}

// MaybeWrote notes a Set that failed and may be applied yet: whoever reads its
// value proves nothing.
func (l *Ledger) MaybeWrote(key string, version int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keyLocked(key).loose[version] = true
}

// Read judges a Get that returned a version.
func (l *Ledger) Read(began Moment, member int, key string, version int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	k := l.keyLocked(key)
	if k.loose[version] {
		return
	}
	later := k.done[sort.Search(len(k.done), func(i int) bool { return k.done[i].version > version }):]
	if len(later) == 0 || later[0].end > began.seq {
		return
	}
	l.late++
	age := began.at.Sub(later[0].at)
	l.oldest[member] = max(l.oldest[member], age)
	agreed := began.agreed != 0 && began.agreed == l.agreed && (len(l.among) == 0 || slices.Contains(l.among, member))
	for i := len(later) - 1; i >= 0; i-- {
		w := later[i]
		fresh := agreed && w.began > l.agreed && w.end < began.seq
		if fresh || began.at.Sub(w.at) > l.maxStale {
			l.addLocked(StaleRead{Member: member, Key: key, Got: version, Want: w.version, Age: age, Agreed: fresh}, began)
			return
		}
	}
}

const maxStaleReads = 20 // kept; the others are counted

func (l *Ledger) addLocked(s StaleRead, began Moment) {
	l.nstale++
	if len(l.stale) < maxStaleReads {
		s.Began = began.at.Sub(l.made)
		l.stale = append(l.stale, s)
	}
}

// A Verdict is what a ledger found.
type Verdict struct {
	Reads    int                   // judged
	Late     int                   // of these, those that returned a superseded version
	Oldest   time.Duration         // the longest that one of these was superseded for
	OldestAt map[int]time.Duration // the same, by member
	Stale    int                   // of these, those that must not
	First    []StaleRead           // some of them
}

// Verdict returns what was found so far.
func (l *Ledger) Verdict() Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := Verdict{Reads: l.reads, Late: l.late, OldestAt: maps.Clone(l.oldest), Stale: l.nstale, First: append([]StaleRead(nil), l.stale...)}
	for _, age := range l.oldest {
		v.Oldest = max(v.Oldest, age)
	}
	return v
}

// Newest returns the newest version of a key whose write returned nil.
func (l *Ledger) Newest(key string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.keys[key]; k != nil && len(k.done) > 0 {
		return k.done[len(k.done)-1].version
	}
	return 0
}
