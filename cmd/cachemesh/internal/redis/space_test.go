package redis_test

import (
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/redis"
)

// prefixed serves members of a mesh with two groups besides the default one.
func prefixed(t testing.TB, members, copies int) (*cachemeshtest.Cluster, []string) {
	c := cachemeshtest.New(t, members)
	made := make(map[string]func(int) *cachemesh.Group[[]byte])
	for _, name := range []string{"default", "a", "sessions"} {
		made[name] = cachemeshtest.Group[[]byte](c, name, nil, cachemesh.GroupOptions[[]byte]{Replicas: copies})
	}
	var addrs []string
	for i := range members {
		addrs = append(addrs, serveMember(t, redis.Options{Node: c.Node(i), Group: made["default"](i),
			Prefixed: map[string]*cachemesh.Group[[]byte]{"a": made["a"](i), "sessions": made["sessions"](i)}}))
	}
	return c, addrs
}

// A key's prefix names its group where there is one, for every command, and keys come back as
// they were given.
func TestPrefixes(t *testing.T) {
	c, addrs := prefixed(t, 3, 1)
	p := dial(t, addrs[0])
	for _, x := range [][2]string{
		{"set k d", "OK"}, {"set a:k a", "OK"}, {"set sessions:k s ex 100", "OK"}, {"set other:k o", "OK"}, {"set :k c", "OK"}, {"set a::k x", "OK"},
		{"mget k a:k sessions:k other:k :k a::k a:none", `["d" "a" "s" "o" "c" "x" (nil)]`}, {"get sessions:", "ERR invalid key: it is empty"},
		{"incr a:n", "(1)"}, {"append a:k b", "(2)"}, {"getset a:k a", `"ab"`}, {"setnx a:k b", "(0)"}, {"expire a:k 100", "(1)"}, {"persist a:k", "(1)"}, {"strlen a:k", "(1)"},
		{"incrbyfloat a:n 0.5", `"1.5"`}, {"getdel a:n", `"1.5"`}, {"exists k a:k sessions:k", "(3)"}, {"del a:k none a::k", "(2)"}, {"mset a:k 1 k 2", "OK"}, {"getex a:k ex 100", `"1"`}, {"type a:k", "string"},
		{"dbsize", "(5)"}, {"keys sessions:*", `["sessions:k"]`}, {"keys sess*", `["sessions:k"]`}, {"keys a:*", `["a:k"]`}, {"keys o*", `["other:k"]`}, {"scan 0 match none*", `["1" []]`}, {"scan 3", "ERR invalid cursor"},
	} {
		if got := p.do(x[0]); got != x[1] {
			t.Errorf("%s: %s, want %s", x[0], got, x[1])
		}
	}
	for name, want := range map[string]int64{"default": 3, "a": 1, "sessions": 1} {
		all := int64(0)
		for i := range c.Len() {
			for _, g := range c.Node(i).Groups() {
				if g.Name() == name {
					all += g.Stats().Entries
				}
			}
		}
		if all != want {
			t.Errorf("group %s has %d keys, want %d", name, all, want)
		}
	}
	if got := dial(t, addrs[1]).do("keys *"); len(strings.Fields(got)) != 5 {
		t.Error(got)
	}
	if got := p.do("flushall") + p.do("dbsize") + p.do("randomkey"); got != "OK(0)(nil)" {
		t.Error(got)
	}
}

// A scan that goes from member to member sees every key, once, while members leave and join, with
// prefixes and without.
func TestScanSeesEveryKey(t *testing.T) {
	for _, names := range [][]string{{""}, {"", "a:", "sessions:"}} {
		c, addrs := prefixed(t, 3, 0)
		if len(names) == 1 {
			c = cachemeshtest.New(t, 3)
			g := cachemeshtest.Group[[]byte](c, "default", nil, cachemesh.GroupOptions[[]byte]{})
			for i := range addrs {
				addrs[i] = serveMember(t, redis.Options{Node: c.Node(i), Group: g(i)})
			}
		}
		ctx := t.Context()
		clients := make([]*goredis.Client, len(addrs))
		for i, addr := range addrs {
			clients[i] = goredis.NewClient(&goredis.Options{Addr: addr})
			defer clients[i].Close()
		}
		_, err := clients[0].Pipelined(ctx, func(p goredis.Pipeliner) error {
			for i := range 900 {
				p.Set(ctx, fmt.Sprint(names[i%len(names)], "k", i), i, 0)
			}
			return nil
		})
		must(t, err)
		seen := make(map[string]int)
		for pages, cursor := 0, uint64(0); pages == 0 || cursor != 0; pages++ {
			var keys []string
			keys, cursor, err = clients[pages%2].Scan(ctx, cursor, "*k*", 10).Result()
			must(t, err)
			for _, key := range keys {
				seen[key]++
			}
			switch pages {
			case 10:
				c.Shutdown(2)
			case 20:
				c.Restart(2)
			}
		}
		for i := range 900 {
			if key := fmt.Sprint(names[i%len(names)], "k", i); seen[key] != 1 {
				t.Errorf("%s was seen %d times", key, seen[key])
			}
		}
		if n, err := clients[1].DBSize(ctx).Result(); n != 900 || err != nil {
			t.Errorf("DBSIZE: %d, %v", n, err)
		}
		random := make(map[string]bool)
		for range 50 {
			key, err := clients[1].RandomKey(ctx).Result()
			must(t, err)
			random[key] = true
		}
		if len(random) < 25 {
			t.Errorf("of 50 random keys %d differ", len(random))
		}
		if keys, err := clients[1].Keys(ctx, "*7").Result(); err != nil || len(keys) != 90 {
			t.Errorf("KEYS: %d, %v", len(keys), err)
		}
	}
}

// Of very many keys DBSIZE says about how many there are, and KEYS that they have no room.
func TestVeryManyKeys(t *testing.T) {
	const all = 60000
	addr := serve(t, 3, func(o *redis.Options) { o.MaxBuffered = 2 << 20 })[0]
	client := goredis.NewClient(&goredis.Options{Addr: addr})
	defer client.Close()
	pairs := make([]any, 0, 2000)
	for i := range all {
		if pairs = append(pairs, fmt.Sprint("key", i), "v"); len(pairs) == cap(pairs) {
			must(t, client.MSet(t.Context(), pairs...).Err())
			pairs = pairs[:0]
		}
	}
	if n, err := client.DBSize(t.Context()).Result(); err != nil || math.Abs(float64(n)-all) > all/20 {
		t.Errorf("DBSIZE: %d, %v", n, err)
	}
	p := dial(t, addr)
	if got := p.do("keys *"); !strings.HasPrefix(got, "ERR so many keys have no room") {
		t.Errorf("%.100s", got)
	}
	if got := p.do("keys key1234?"); len(strings.Fields(got)) != 10 {
		t.Error(got)
	}
}

// redis-cli goes through the keys as its own server's.
func TestRedisCLIScans(t *testing.T) {
	cli, err := exec.LookPath("redis-cli")
	if err != nil {
		t.Skip("there is no redis-cli")
	}
	_, addrs := prefixed(t, 2, 0)
	p := dial(t, addrs[0])
	want := []string{"a:1", "b:2", "sessions:3"}
	for _, key := range want {
		if got := p.do("set " + key + " v"); got != "OK" {
			t.Fatal(got)
		}
	}
	_, port, _ := strings.Cut(addrs[1], ":")
	out, err := exec.Command(cli, "-p", port, "--scan").CombinedOutput()
	if got := strings.Fields(string(out)); err != nil || !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("%v %s", err, out)
	}
}
