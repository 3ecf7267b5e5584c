package store

import (
	"fmt"
	"math/rand"
	"testing"
)

// model drives a store and knows, for each key, the only entry that a Get may
// return. The store may have forgotten it.
type model struct {
	t       testing.TB
	s       *Store
	last    map[string]*Entry
	now     int64
	version int
	evicted map[*Entry]bool // told to OnEvict
}

const (
	modelKeys   = 24
	modelHashes = 6 // so every key has three twins
)

func newModel(t testing.TB, engine string) *model {
	m := &model{t: t, last: map[string]*Entry{}, now: 1, evicted: map[*Entry]bool{}}
	maxBytes := int64(MinBytes)
	if engine == "keeper" {
		maxBytes = 1 << 20
	}
	m.s = newEngine(t, engine, Options{MaxBytes: maxBytes, OnEvict: func(e *Entry, why Cause) {
		if m.evicted[e] {
			t.Errorf("%q: OnEvict called twice", e.Key)
		}
		m.evicted[e] = true
	}})
	return m
}

func (m *model) hash(k byte) uint64 { return hashOf(fmt.Sprint(k % modelKeys % modelHashes)) }

func key(k byte) string { return fmt.Sprintf("key %d", k%modelKeys) }

// step carries out the operation that three bytes stand for.
func (m *model) step(op, k, arg byte) {
	m.t.Helper()
	switch op % 16 {
	case 0, 1, 2, 3, 4, 5, 6:
		m.set(k, arg)
	case 7, 8, 9, 10:
		m.get(k)
	case 11, 12:
		m.s.Delete(m.hash(k), key(k))
		delete(m.last, key(k))
		m.get(k)
	case 13:
		m.now += int64(arg % 8)
	case 14:
		m.scan()
	case 15:
		m.rare(k, arg)
	}
	if got := m.s.Bytes(); got > m.s.max {
		m.t.Fatalf("Bytes() = %d, the budget is %d", got, m.s.max)
	}
}

func (m *model) set(k, arg byte) {
	m.t.Helper()
	m.version++
	e := &Entry{Key: key(k), Data: fmt.Append(nil, m.version)}
	e.Extra = ExtraOf(int64(arg%32) * m.s.MaxEntry() / 30)
	if arg >= 128 {
		e.Expires = m.now + int64(arg%16)
	}
	err := m.s.Set(m.hash(k), e, m.now)
	if tooLarge := e.Size() > m.s.MaxEntry(); tooLarge != (err != nil) {
		m.t.Fatalf("Set of %d bytes: %v", e.Size(), err)
	}
	if err != nil {
		m.get(k)
		return
	}
	m.last[e.Key] = e
	if got := m.get(k); got == nil && !e.expired(m.now) {
		m.t.Fatalf("%q is not there after its Set", e.Key)
	}
}

func (m *model) get(k byte) *Entry {
	m.t.Helper()
	return m.allow(key(k), m.s.Get(m.hash(k), key(k), m.now))
}

// allow checks that e may be what is found under the key.
func (m *model) allow(key string, e *Entry) *Entry {
	m.t.Helper()
	switch {
	case e == nil:
	case e != m.last[key]:
		m.t.Fatalf("%q: found version %s, which is not the last", key, e.Data)
	case e.expired(m.now):
		m.t.Fatalf("%q: found at %d, expired at %d", key, m.now, e.Expires)
	case m.evicted[e]:
		m.t.Fatalf("%q: found version %s after it was given up", key, e.Data)
	}
	return e
}

// scan checks that Range meets every live entry once.
func (m *model) scan() {
	met := map[*Entry]bool{}
	m.s.Range(m.now, func(_ uint64, e *Entry) bool {
		if met[e] {
			m.t.Fatalf("%q: met twice", e.Key)
		}
		met[e] = m.allow(e.Key, e) != nil
		return true
	})
	for k := range byte(modelKeys) {
		if e := m.s.Peek(m.hash(k), key(k), m.now); e != nil && !met[e] {
			m.t.Fatalf("%q: not met", e.Key)
		}
	}
}

func (m *model) rare(k, arg byte) {
	switch arg % 8 {
	case 0:
		m.s.Clear()
		clear(m.last)
		if n := m.s.Len(); n != 0 {
			m.t.Fatalf("%d entries after Clear", n)
		}
	case 1, 2:
		m.s.DeleteIf(func(hash uint64, e *Entry) bool { return e.Key >= key(k) })
		for name := range m.last {
			if name >= key(k) {
				delete(m.last, name)
			}
		}
		m.scan()
	default:
		checkStore(m.t, m.s)
	}
}

func TestAgainstModel(t *testing.T) {
	for _, engine := range engines {
		for seed := range int64(4) {
			m, r := newModel(t, engine), rand.New(rand.NewSource(seed))
			for range 10_000 {
				m.step(byte(r.Int()), byte(r.Int()), byte(r.Int()))
			}
			if st := m.s.Stats(); st.Evicted == 0 || st.Expired == 0 || st.Collided == 0 && engine == "keeper" {
				t.Errorf("%s, seed %d: something was never tried: %+v", engine, seed, st)
			}
		}
	}
}

func FuzzAgainstModel(f *testing.F) {
	f.Add(false, []byte{0, 1, 2, 7, 1, 0, 11, 1, 0})
	f.Add(true, []byte{0, 1, 31, 0, 2, 29, 0, 3, 29, 15, 0, 0, 14, 0, 0})
	f.Fuzz(func(t *testing.T, keeper bool, ops []byte) {
		engine := "clock"
		if keeper {
			engine = "keeper"
		}
		m := newModel(t, engine)
		for ; len(ops) >= 3; ops = ops[3:] {
			m.step(ops[0], ops[1], ops[2])
		}
	})
}
