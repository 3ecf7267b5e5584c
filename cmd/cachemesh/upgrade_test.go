package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Environment variables that scripts/upgrade-test.sh sets.
const (
	oldProgram  = "CACHEMESH_OLD_PROGRAM" // path of the program of an older commit
	memberFlags = "CACHEMESH_FLAGS"       // further flags of all members: what one build takes for granted another may not
)

// TestRollingUpgrade replaces the members of a mesh one by one with those of this build, and
// then with the older ones again, while clients of all members that run read, write and delete.
// No Get may fail, nothing that was set may be lost, and nothing may be older than what a
// write before it said.
func TestRollingUpgrade(t *testing.T) {
	older := os.Getenv(oldProgram)
	if older == "" {
		t.Skip("no program of an older commit: scripts/upgrade-test.sh builds one")
	}
	newer, err := program()
	if err != nil {
		t.Fatal(err)
	}
	const members = 3
	m := &rolling{t: t, slots: make([]slot, members), stop: make(chan struct{})}
	for i := range m.slots {
		m.slots[i].mesh, m.slots[i].name = freeAddr(t), fmt.Sprint("member-", i)
	}
	for i := range m.slots {
		m.open(i, older)
	}
	var all sync.WaitGroup
	for w := range members {
		all.Go(func() { m.write(w) })
		all.Go(func() { m.read(w) })
	}
	for _, next := range []string{newer, older} {
		for i := range m.slots {
			m.pause()
			m.replace(i, next)
		}
	}
	m.pause()
	close(m.stop)
	all.Wait()
	m.checkAll()
	t.Logf("%d Gets, %d writes, %d of them tried again; %d loads by claim", m.gets.Load(), m.writes.Load(), m.again.Load(), m.claims.Load())
	if m.gets.Load() < 1000 || m.writes.Load() < 100 || m.claims.Load() < 10 {
		t.Error("that is too little to say anything")
	}
}

// A slot is the place of one member, whichever program runs there.
type slot struct {
	name, mesh string
	mu         sync.RWMutex // held for reading by clients, for writing while the member is replaced
	process    *process
	client     *goredis.Client
}

// A rolling mesh is one whose members are replaced.
type rolling struct {
	t     *testing.T
	slots []slot
	stop  chan struct{}
	keys  [rollingKeys]rollingKey

	gets, writes, again, claims atomic.Int64
}

const (
	rollingKeys = 120
	betweenStep = 700 * time.Millisecond // in which all members run
)

// A rollingKey has one writer, which counts up.
type rollingKey struct {
	told    atomic.Int64 // the newest write that was answered
	sending atomic.Int64 // the newest that was sent
}

// pause lets clients go on for a while: what is tested is what happens in time.
func (m *rolling) pause() { time.Sleep(betweenStep) }

// open starts a member in a slot.
func (m *rolling) open(i int, program string) {
	s := &m.slots[i]
	args := []string{"--name", s.name, "--mesh", "rolling", "--listen", s.mesh, "--redis-listen", "127.0.0.1:0", "--http-listen", "off",
		"--other-groups", "--other-groups-kind", "cache", "--join-timeout", "20s"}
	args = append(args, strings.Fields(os.Getenv(memberFlags))...)
	for j := range m.slots {
		if j != i && m.slots[j].process != nil {
			args = append(args, "--bootstrap", m.slots[j].mesh, "--require-join")
			break
		}
	}
	s.process = startProgram(m.t, program, args...)
	s.client = goredis.NewClient(&goredis.Options{Addr: s.process.redis, MaxRetries: -1, ReadTimeout: 20 * time.Second, PoolSize: 20})
}

// replace stops a member in order, as its clients have left it, and starts another program in its place.
func (m *rolling) replace(i int, program string) {
	s := &m.slots[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client.Close()
	if code, said := s.process.end(syscall.SIGTERM); code != 0 {
		m.t.Errorf("%s ended with %d:\n%s", s.name, code, said)
	}
	s.process = nil
	m.open(i, program)
}

// with calls f with a client of a member that runs, the given one if it does.
func (m *rolling) with(i int, f func(*goredis.Client)) {
	for !m.slots[i%len(m.slots)].mu.TryRLock() {
		i++
	}
	s := &m.slots[i%len(m.slots)]
	defer s.mu.RUnlock()
	f(s.client)
}

func (m *rolling) stopped() bool {
	select {
	case <-m.stop:
		return true
	default:
		return false
	}
}

// write sets the keys of one writer to ever greater numbers, and deletes some of them in between.
func (m *rolling) write(w int) {
	ctx := context.Background()
	for n := 0; !m.stopped() && !m.t.Failed(); n++ {
		k := w + len(m.slots)*(n%(rollingKeys/len(m.slots)))
		key := &m.keys[k]
		next := key.sending.Add(1)
		for {
			var err error
			m.with(n, func(c *goredis.Client) { err = c.Set(ctx, fmt.Sprint("k", k), next, 0).Err() })
			if err == nil {
				break
			}
			if !mayRepeat(err) {
				m.t.Errorf("SET k%d %d: %v", k, next, err)
				return
			}
			m.again.Add(1)
			if m.stopped() {
				return
			}
		}
		m.writes.Add(1)
		key.told.Store(next)
		time.Sleep(2 * time.Millisecond) // a client, not a flood: members must have time to be replaced
	}
}

// mayRepeat reports whether a key's one writer may set the same number again: nothing was done, or, with
// copies and while members change, that is not certain.
func mayRepeat(err error) bool {
	return strings.HasPrefix(err.Error(), "TRYAGAIN") || strings.HasPrefix(err.Error(), "ERR it is not certain")
}

// read gets keys through all members, and loads by claims.
func (m *rolling) read(r int) {
	for n := 0; !m.stopped() && !m.t.Failed(); n++ {
		m.look(n, (r*7+n)%rollingKeys)
		if n%10 == 0 {
			m.claim(n)
		}
	}
}

// look gets one key, and compares.
func (m *rolling) look(n, k int) {
	key := &m.keys[k]
	told := key.told.Load()
	var got int64
	var err error
	m.with(n, func(c *goredis.Client) { got, err = c.Get(context.Background(), fmt.Sprint("k", k)).Int64() })
	m.gets.Add(1)
	switch {
	case errors.Is(err, goredis.Nil) && told == 0:
	case err != nil:
		m.t.Errorf("GET k%d, which is %d: %v", k, told, err)
	case got < told || got > key.sending.Load():
		m.t.Errorf("GET k%d is %d, and %d was answered before", k, got, told)
	}
}

// claim loads a key of a cache as a client does that has a claim, or takes what is there.
func (m *rolling) claim(n int) {
	ctx := context.Background()
	key, want := fmt.Sprint("page", n%200), fmt.Sprint("rendered ", n%200)
	m.with(n, func(c *goredis.Client) {
		answer, err := c.Do(ctx, "CM.GET", "pages", key, "WAIT", "5000").Slice()
		if err != nil {
			m.t.Errorf("CM.GET %s: %v", key, err)
			return
		}
		m.gets.Add(1)
		switch answer[0] {
		case "hit":
			if answer[1] != want {
				m.t.Errorf("CM.GET %s is %v", key, answer[1])
			}
		case "won":
			err := c.Do(ctx, "CM.FILL", "pages", key, answer[1], want, "PX", strconv.Itoa(300)).Err()
			if err != nil && !strings.HasPrefix(err.Error(), "VOID") && !strings.HasPrefix(err.Error(), "OVER") {
				m.t.Errorf("CM.FILL %s: %v", key, err)
			}
			m.claims.Add(1)
		default:
			m.t.Errorf("CM.GET %s: %v", key, answer)
		}
	})
}

// checkAll looks at every key through every member.
func (m *rolling) checkAll() {
	for k := range m.keys {
		for i := range m.slots {
			m.look(i, k)
		}
	}
}
