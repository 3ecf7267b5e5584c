package redis_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/redis"
)

// caches serves members of a mesh with a cache, "pages".
func caches(t testing.TB, members int, o cachemesh.GroupOptions[[]byte]) []string {
	c := cachemeshtest.New(t, members)
	rest := cachemeshtest.Group[[]byte](c, "default", nil, cachemesh.GroupOptions[[]byte]{})
	o.Cache = true
	pages := cachemeshtest.Group[[]byte](c, "pages", nil, o)
	var addrs []string
	for i := range members {
		addrs = append(addrs, serveMember(t, redis.Options{Node: c.Node(i), Group: rest(i), MaxClients: 300,
			Prefixed: map[string]*cachemesh.Group[[]byte]{"pages": pages(i)},
			Use: func(name string) (*cachemesh.Group[[]byte], error) {
				return map[string]*cachemesh.Group[[]byte]{"pages": pages(i), "default": rest(i)}[name], nil
			}}))
	}
	return addrs
}

// won returns the token in what CM.GET answered, "" if it is none.
func won(answer string) string {
	token, ok := strings.CutPrefix(answer, `["won" "`)
	if !ok {
		return ""
	}
	token, _, _ = strings.Cut(token, `"`)
	return token
}

// Of two hundred clients of three members one loads, and the others have what it brings.
func TestOneOfManyClaims(t *testing.T) {
	addrs := caches(t, 3, cachemesh.GroupOptions[[]byte]{})
	var clients []*plain
	for i := range 200 {
		clients = append(clients, dial(t, addrs[i%3]))
	}
	for round := range 5 {
		var loads, hits atomic.Int64
		var all sync.WaitGroup
		for _, p := range clients {
			all.Go(func() {
				switch got := p.do(fmt.Sprintf("cm.get pages k%d wait 30000", round)); {
				case won(got) != "":
					loads.Add(1)
					time.Sleep(20 * time.Millisecond)
					if got := p.do(fmt.Sprintf("cm.fill pages k%d %s row px 60000", round, won(got))); got != "OK" {
						t.Error(got)
					}
				case got == `["hit" "row"]`:
					hits.Add(1)
				default:
					t.Error(got)
				}
			})
		}
		all.Wait()
		if loads.Load() != 1 || hits.Load() != 199 {
			t.Errorf("%d loads, %d hits", loads.Load(), hits.Load())
		}
	}
	if got := dial(t, addrs[1]).do("pttl pages:k0"); got < "(50000)" || got > "(60000)" {
		t.Error(got)
	}
}

// A connection that breaks gives its claims up: the next that waits wins at once.
func TestBrokenWinners(t *testing.T) {
	addrs := caches(t, 3, cachemesh.GroupOptions[[]byte]{})
	for i := range 9 {
		key := fmt.Sprint("k", i)
		winner := dial(t, addrs[0])
		token := won(winner.do("cm.get pages " + key + " hold 60000"))
		if token == "" {
			t.Fatal("not won")
		}
		next := dial(t, addrs[i%3])
		if got := next.do("cm.get pages " + key); got != `["busy"]` {
			t.Error(got)
		}
		next.send("cm.get pages " + key + " wait 60000\r\nget pages:" + key + "\r\n")
		time.AfterFunc(50*time.Millisecond, func() { winner.nc.Close() })
		begin := time.Now()
		second := won(next.answer())
		if took := time.Since(begin); second == "" || took > 800*time.Millisecond {
			t.Errorf("%s: %q after %v", key, second, took)
		}
		if got := next.answer(); got != "(nil)" {
			t.Error(got)
		}
		if got := dial(t, addrs[0]).do("cm.fill pages " + key + " " + token + " late"); got != "OVER this member holds no such claim any more" {
			t.Error(got)
		}
		if got := next.do("cm.fill pages " + key + " " + second + " v"); got != "OK" {
			t.Error(got)
		}
	}
}

// Who waits and is gone wins, and gives that up, at once.
func TestWaitersThatAreGone(t *testing.T) {
	addrs := caches(t, 2, cachemesh.GroupOptions[[]byte]{})
	winner, last := dial(t, addrs[0]), dial(t, addrs[1])
	token := won(winner.do("cm.get pages k"))
	for i := range 5 {
		gone := dial(t, addrs[i%2])
		gone.send("cm.get pages k wait 60000\r\n")
		time.Sleep(20 * time.Millisecond) // until it stands in line
		gone.nc.Close()
	}
	last.send("cm.get pages k wait 60000\r\n")
	time.Sleep(20 * time.Millisecond) // until it stands in line, too
	begin := time.Now()
	if got := winner.do("cm.release pages k " + token); got != "OK" {
		t.Fatal(got)
	}
	if got := last.answer(); won(got) == "" || time.Since(begin) > time.Second {
		t.Errorf("%s after %v", got, time.Since(begin))
	}
}

// What is loaded while the key is deleted is not stored, and who waited before that has it.
func TestDeleteMakesAClaimVoid(t *testing.T) {
	addrs := caches(t, 3, cachemesh.GroupOptions[[]byte]{})
	winner, waiter, writer := dial(t, addrs[0]), dial(t, addrs[1]), dial(t, addrs[2])
	for i := range 9 {
		key := fmt.Sprint("k", i)
		token := won(winner.do("cm.get pages " + key))
		waiter.send("cm.get pages " + key + " wait 60000\r\n")
		time.Sleep(30 * time.Millisecond) // until it stands in line
		if got := writer.do("del pages:" + key); got != "(0)" {
			t.Error(got)
		}
		if got := winner.do("cm.fill pages " + key + " " + token + " old"); !strings.HasPrefix(got, "VOID ") {
			t.Errorf("%s: %s", key, got)
		}
		if got := waiter.answer(); got != `["hit" "old"]` {
			t.Errorf("%s: who waited: %s", key, got)
		}
		if got := writer.do("get pages:" + key); got != "(nil)" {
			t.Errorf("%s: %s was stored", key, got)
		}
	}
}

func TestClaimCommands(t *testing.T) {
	addrs := caches(t, 2, cachemesh.GroupOptions[[]byte]{NotFoundTTL: time.Minute, StaleFor: time.Minute, TTL: time.Minute})
	p, other := dial(t, addrs[0]), dial(t, addrs[1])
	const over, holds = "OVER this member holds no such claim any more", "ERR WAIT and HOLD are from 0 to 60000 milliseconds"
	for _, x := range [][2]string{
		{"cm.get pages", "ERR wrong number of arguments for 'cm.get' command"}, {"cm.get pages k wait", syntax}, {"cm.get pages k bogus 1", syntax}, {"cm.get pages k wait 60001", holds},
		{"cm.get pages k hold -1", holds}, {"cm.get pages k wait x", holds}, {`cm.get pages ""`, "ERR invalid key: it is empty"}, {"cm.fill pages k bogus v", over}, {"cm.fill pages k bogus v nx", syntax},
		{"cm.fill pages k bogus v ex 0", "ERR invalid expire time in 'set' command"}, {"cm.notfound pages k bogus", over}, {"cm.fail pages k bogus text", over}, {"cm.extend pages k bogus", over}, {"cm.extend pages k bogus x", syntax}, {"cm.release pages k bogus", over},
	} {
		if got := p.do(x[0]); got != x[1] {
			t.Errorf("%s: %s, want %s", x[0], got, x[1])
		}
	}
	if got := p.do("cm.get default k"); !strings.HasPrefix(got, "ERR ") {
		t.Errorf("a map: %s", got)
	}
	claim := func(key string) string { return "pages " + key + " " + won(p.do("cm.get pages "+key)) }
	k := claim("k")
	if got := p.do("cm.fill pages other " + strings.Fields(k)[2] + " v"); got != over {
		t.Errorf("of another key: %s", got)
	}
	if got := p.do("cm.extend "+k+" 50000") + dial(t, addrs[0]).do("cm.notfound "+k) + other.do("cm.get pages k"); got != `OKOK["notfound"]` {
		t.Error(got)
	}
	k = claim("f")
	other.send("cm.get pages f wait 60000\r\n")
	time.Sleep(30 * time.Millisecond) // until it stands in line
	if got := p.do("cm.fail " + k + " \"no row\""); got != "OK" {
		t.Error(got)
	}
	if got := other.answer(); !strings.HasPrefix(got, "LOADFAILED ") || !strings.Contains(got, "no row") {
		t.Error(got)
	}
	k = claim("r")
	if got := p.do("cm.release "+k) + p.do("cm.fill "+k+" v"); got != "OK"+over || won(other.do("cm.get pages r")) == "" {
		t.Error(got)
	}
	if got := p.do("cm.fill " + claim("s") + " old px 1"); got != "OK" {
		t.Error(got)
	}
	time.Sleep(5 * time.Millisecond)
	if got := p.do("cm.get pages s"); won(got) == "" || !strings.Contains(got, `" "old" (`) {
		t.Error(got)
	}
	if got := other.do("cm.get pages s"); !strings.HasPrefix(got, `["stale" "old" (`) {
		t.Error(got)
	}
}

// A member that leaves makes nobody wait, and gives up what its clients have.
func TestClaimsWhileAMemberLeaves(t *testing.T) {
	addrs := caches(t, 1, cachemesh.GroupOptions[[]byte]{})
	winner, waiter := dial(t, addrs[0]), dial(t, addrs[0])
	if won(winner.do("cm.get pages k")) == "" {
		t.Fatal("not won")
	}
	begin := time.Now()
	waiter.send("cm.get pages k wait 60000\r\n")
	time.Sleep(20 * time.Millisecond) // until it waits
	t.Cleanup(func() {
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("it left after %v", took)
		}
	})
}

// Clients of other makers send the commands as any.
func TestClaimsByOtherClients(t *testing.T) {
	addrs := caches(t, 2, cachemesh.GroupOptions[[]byte]{})
	ctx := t.Context()
	one := goredis.NewClient(&goredis.Options{Addr: addrs[0]})
	defer one.Close()
	two, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: addrs[1:], DisableCache: true})
	must(t, err)
	defer two.Close()
	got, err := one.Do(ctx, "CM.GET", "pages", "k").StringSlice()
	must(t, err)
	if len(got) != 2 || got[0] != "won" {
		t.Fatal(got)
	}
	must(t, one.Do(ctx, "CM.FILL", "pages", "k", got[1], "a\r\n\x00", "EX", 60).Err())
	got, err = two.Do(ctx, two.B().Arbitrary("CM.GET").Args("pages", "k").Build()).AsStrSlice()
	if err != nil || len(got) != 2 || got[0] != "hit" || got[1] != "a\r\n\x00" {
		t.Error(got, err)
	}
}
