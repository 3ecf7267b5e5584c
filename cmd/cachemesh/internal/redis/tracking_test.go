package redis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/redis"
)

// trackers serves members whose clients may keep what they read.
func trackers(t testing.TB, members int) (*cachemeshtest.Cluster, []string) {
	c := cachemeshtest.New(t, members)
	var addrs []string
	for i := range members {
		var mu sync.Mutex // guards s
		var s *redis.Server
		g, err := cachemesh.NewGroup(c.Node(i), "default", nil, cachemesh.GroupOptions[[]byte]{OnInvalidate: func(key string) {
			mu.Lock()
			at := s
			mu.Unlock()
			if at != nil {
				at.Told("default", key)
			}
		}})
		must(t, err)
		at, addr := serveServer(t, redis.Options{Node: c.Node(i), Group: g})
		mu.Lock()
		s = at
		mu.Unlock()
		addrs = append(addrs, addr)
	}
	return c, addrs
}

// tracking dials a member, and says how the client tracks.
func tracking(t *testing.T, addr, how string) *plain {
	t.Helper()
	p := dial(t, addr)
	if got := p.do("hello 3"); !strings.HasPrefix(got, "[") {
		t.Fatal(got)
	}
	if got := p.do("client tracking on " + how); got != "OK" {
		t.Fatal(got)
	}
	return p
}

// told returns what the client has been told by now, which comes before the answer to a PING.
func (p *plain) told() (all []string) {
	p.t.Helper()
	p.send("ping\r\n")
	for {
		switch got := p.answer(); {
		case got == "PONG":
			return all
		case strings.HasPrefix(got, `["invalidate" `):
			all = append(all, strings.TrimSuffix(strings.TrimPrefix(got, `["invalidate" `), "]"))
		default:
			p.t.Fatalf("unexpected %s", got)
		}
	}
}

// A client that keeps a key is told before a write of it is answered, whoever writes it, on which
// member ever, and by what command; and nothing is told while nothing changes.
func TestTracking(t *testing.T) {
	_, addrs := trackers(t, 3)
	reader, writer := tracking(t, addrs[0], ""), dial(t, addrs[1])
	for i := range 30 {
		key := fmt.Sprint("k", i)
		for _, write := range []string{"set %s w", "del %s", "expire %s 1", "append %s x", "getdel %s", "set %s y keepttl", "flushall"} {
			if got := writer.do("set " + key + " v"); got != "OK" {
				t.Fatal(got)
			}
			if got := reader.do("get " + key); got != `"v"` {
				t.Fatalf("%s: %s", key, got)
			}
			if got := reader.told(); len(got) > 0 {
				t.Fatalf("%s: told of %v before anything changed", key, got)
			}
			if strings.Contains(write, "%s") {
				write = fmt.Sprintf(write, key)
			}
			writer.do(write)
			if got := reader.told(); len(got) == 0 || got[0] != fmt.Sprintf("[%q]", key) && got[0] != "(nil)" {
				t.Errorf("%s: told of %v", write, got)
			}
			writer.do("set " + key + " again")
			if got := reader.told(); len(got) > 0 {
				t.Errorf("%s: told of %v, which it does not keep", write, got)
			}
		}
	}
	writer.do("mset k0 v k1 v")
	reader.do("get k0")
	reader.do("get k1")
	if got := reader.do("set k0 own"); got != `["invalidate" ["k0"]]` || reader.answer() != "OK" {
		t.Errorf("of its own write: %s", got)
	}
	if got := reader.do("client tracking off"); got != "OK" {
		t.Error(got)
	}
	writer.do("set k1 w")
	if got := reader.told(); len(got) > 0 {
		t.Errorf("switched off: %v", got)
	}
}

// What a client keeps it may keep for long, whoever owns the key.
func TestTrackingGoesOn(t *testing.T) {
	_, addrs := trackers(t, 3)
	reader, writer := tracking(t, addrs[0], ""), dial(t, addrs[1])
	for i := range 20 {
		writer.do(fmt.Sprintf("set k%d v", i))
		reader.do(fmt.Sprintf("get k%d", i))
	}
	time.Sleep(2500 * time.Millisecond) // longer than leases last
	if got := reader.told(); len(got) > 0 {
		t.Errorf("told of %v while nothing changed", got)
	}
	for i := range 20 {
		writer.do(fmt.Sprintf("set k%d w", i))
	}
	if got := reader.told(); len(got) != 20 {
		t.Errorf("told of %v", got)
	}
}

// Modes: keys that a client asks for, keys that begin as it says, and what nobody can promise.
func TestTrackingModes(t *testing.T) {
	_, addrs := trackers(t, 2)
	writer := dial(t, addrs[1])
	writer.do("mset a v b v pre:a v")
	optIn := tracking(t, addrs[0], "optin")
	for _, x := range [][2]string{
		{"get a", `"v"`}, {"client caching yes", "OK"}, {"get b", `"v"`}, {"client caching no", "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."}, {"client getredir", "(0)"},
		{"client tracking on optin optout", "ERR You can't use both OPTIN and OPTOUT"}, {"client tracking on bcast optin", "ERR OPTIN and OPTOUT are not compatible with BCAST"}, {"client tracking on prefix a", "ERR PREFIX option requires BCAST mode to be enabled"},
		{"client tracking on redirect 1", "ERR CLIENT TRACKING with REDIRECT is not supported by this version of cachemesh: use RESP3"}, {"client tracking maybe", syntax}, {"client tracking on bogus", syntax},
	} {
		if got := optIn.do(x[0]); got != x[1] {
			t.Errorf("%s: %s, want %s", x[0], got, x[1])
		}
	}
	optOut, prefix := tracking(t, addrs[0], "optout"), tracking(t, addrs[0], "bcast prefix pre: prefix x")
	if got := optOut.do("client caching no") + optOut.do("get a") + optOut.do("get b") + prefix.do("mget a b pre:a"); got != `OK"v""v"["v" "v" "v"]` {
		t.Error(got)
	}
	writer.do("mset a w b w pre:a w")
	for i, p := range []*plain{optIn, optOut, prefix} {
		if got, want := fmt.Sprint(p.told()), []string{`[["b"]]`, `[["b"]]`, `[["pre:a"]]`}[i]; got != want {
			t.Errorf("mode %d: told of %s, want %s", i, got, want)
		}
	}
	all := tracking(t, addrs[0], "")
	if got := all.do("get none"); got != "(nil)" {
		t.Error(got)
	}
	if got := all.told(); len(got) != 1 || got[0] != `["none"]` {
		t.Errorf("of a key without a value: %v", got)
	}
	all.do("exists a b")
	if got := all.told(); len(got) != 2 {
		t.Errorf("after EXISTS of two: %v", got)
	}
	all.do("strlen a")
	writer.do("set a longer")
	if got := all.told(); len(got) != 1 {
		t.Errorf("after STRLEN and a write: %v", got)
	}
	all.do("hello 2")
	if got := all.do("get a") + writer.do("set a x") + all.do("ping"); got != `"longer"OKPONG` {
		t.Error(got)
	}
}

// While clients read in pipelines and others write, no client keeps what is older than a write that
// was answered, after it has read what it was told.
func TestTrackedIsNeverStale(t *testing.T) {
	_, addrs := trackers(t, 3)
	var readers []*plain
	var kept []map[string]string
	for i := range 6 {
		readers, kept = append(readers, tracking(t, addrs[i%3], "")), append(kept, make(map[string]string))
	}
	writers := []*plain{dial(t, addrs[0]), dial(t, addrs[1]), dial(t, addrs[2])}
	now := make(map[string]string)
	deadline := time.Now().Add(4 * time.Second)
	hits := 0
	for round := 0; time.Now().Before(deadline); round++ {
		key, r := fmt.Sprint("k", rand.IntN(7)), rand.IntN(len(readers))
		now[key] = fmt.Sprint(round)
		var all sync.WaitGroup
		asked := make(map[int][]string) // pipelines that cross the write
		for i, p := range readers {
			for range rand.IntN(4) {
				asked[i] = append(asked[i], fmt.Sprint("k", rand.IntN(7)))
			}
			keys := asked[i]
			all.Go(func() {
				for _, k := range keys {
					p.send("get " + k + "\r\n")
				}
			})
		}
		if got := writers[r%3].do("set " + key + " " + now[key]); got != "OK" {
			t.Fatal(got)
		}
		all.Wait()
		for i, p := range readers {
			p.send("ping\r\n")
			for at := 0; ; {
				got := p.answer()
				if got == "PONG" {
					break
				}
				if k, ok := strings.CutPrefix(got, `["invalidate" ["`); ok {
					delete(kept[i], strings.TrimSuffix(k, `"]]`))
				} else if got == `["invalidate" (nil)]` {
					clear(kept[i])
				} else {
					if k := asked[i][at]; got == "(nil)" {
						delete(kept[i], k)
					} else {
						kept[i][k] = strings.Trim(got, `"`)
					}
					at++
				}
			}
			for k, v := range kept[i] {
				if hits++; v != now[k] {
					t.Fatalf("round %d: client %d keeps %s=%s, and it is %s", round, i, k, v, now[k])
				}
			}
		}
	}
	if hits < 200 {
		t.Errorf("only %d times anything was kept", hits)
	}
}

// A client that takes nothing is cut off, and holds up no write for long.
func TestTrackersThatTakeNothing(t *testing.T) {
	_, addrs := trackers(t, 1)
	reader, writer := tracking(t, addrs[0], ""), dial(t, addrs[0])
	writer.send(fmt.Sprintf("*3\r\n$3\r\nset\r\n$5\r\nlarge\r\n$%d\r\n%s\r\n", 1<<20, strings.Repeat("x", 1<<20)))
	if got := writer.answer(); got != "OK" {
		t.Fatal(got)
	}
	writer.do("set k v")
	reader.do("get k")
	go reader.send(strings.Repeat("get large\r\n", 100)) // and reads none of it
	time.Sleep(100 * time.Millisecond)
	begin := time.Now()
	if got := writer.do("set k w"); got != "OK" || time.Since(begin) > 3*time.Second {
		t.Errorf("%s after %v", got, time.Since(begin))
	}
}

// rueidis keeps what it reads, as it is made to.
func TestRueidisKeeps(t *testing.T) {
	_, addrs := trackers(t, 3)
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: addrs[:1]})
	must(t, err)
	defer client.Close()
	writer := dial(t, addrs[1])
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for i := range 20 {
		get := func() rueidis.RedisResult {
			return client.DoCache(ctx, client.B().Get().Key(fmt.Sprint("k", i)).Cache(), time.Minute)
		}
		writer.do(fmt.Sprintf("set k%d v ex 100", i))
		if v, err := get().ToString(); v != "v" || err != nil {
			t.Fatal(v, err)
		}
		if r := get(); !r.IsCacheHit() {
			t.Errorf("k%d is not kept", i)
		}
		writer.do(fmt.Sprintf("set k%d w", i))
		for begin := time.Now(); ; {
			if v, err := get().ToString(); v == "w" && err == nil {
				break
			} else if time.Since(begin) > time.Second {
				t.Fatalf("k%d: %q, %v a second after the write", i, v, err)
			}
		}
	}
}
