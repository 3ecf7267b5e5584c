package redis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh"
)

// What is said of a group by its name is about that group, on whatever member.
func TestCommandsThatNameTheGroup(t *testing.T) {
	addrs := caches(t, 3, cachemesh.GroupOptions[[]byte]{})
	one, two := dial(t, addrs[0]), dial(t, addrs[1])
	for i, c := range []struct{ ask, want string }{
		{"cm.set pages k v", "OK"}, {"cm.mget pages k none k", `["v" (nil) "v"]`}, {"cm.mget default k", "[(nil)]"}, {"get pages:k", `"v"`},
		{"cm.set pages k w nx", "(nil)"}, {"cm.set pages k w nx get", `"v"`}, {"cm.set pages n w nx get px 60000", "(nil)"}, {"cm.mget pages n", `["w"]`},
		{"cm.set pages k w px 0", "ERR invalid expire time in 'set' command"}, {"cm.set pages k w ox", "ERR syntax error"},
		{"cm.del pages k n none", "(2)"}, {"cm.del pages k", "(0)"}, {"cm.mget pages k n", "[(nil) (nil)]"},
		{"cm.clear pages", "(0)"}, {"cm.set pages a:1 v", "OK"}, {"cm.set pages b:1 v", "OK"}, {"set other v", "OK"},
		{"cm.clear pages prefix c:", "(0)"}, {"cm.clear pages prefix a:", "(1)"}, {"cm.mget pages a:1 b:1", `[(nil) "v"]`},
		{"cm.clear pages", "(1)"}, {"cm.mget pages b:1", "[(nil)]"}, {"get other", `"v"`}, {"cm.clear pages suffix a", "ERR syntax error"}, {"cm.clear pages prefix", "ERR syntax error"},
	} {
		p := one
		if i%2 == 1 {
			p = two
		}
		if got := p.do(c.ask); got != c.want {
			t.Errorf("%s: %s, want %s", c.ask, got, c.want)
		}
	}
	one.do("hello 3")
	if got := one.do("cm.stats pages"); !strings.HasPrefix(got, `["gets" (`) || !strings.Contains(got, `"claimsWon" (0)`) {
		t.Error(got)
	}
	if got := one.do("cm.mesh"); !strings.HasPrefix(got, `["name" `) || strings.Count(got, "(0) (0)]") != 2 || strings.Count(got, "(1) (0)]") != 1 || !strings.Contains(got, `"protocol" (1)`) {
		t.Error(got)
	}
	if got := one.do("info server"); !strings.Contains(got, `cachemesh_protocol:1\r\n`) {
		t.Error(got)
	}
}

// What a claim loads is not stored once its key was deleted, set or cleared by name, though there was no value to forget.
func TestNamedWritesVoidClaims(t *testing.T) {
	addrs := caches(t, 3, cachemesh.GroupOptions[[]byte]{})
	one, two := dial(t, addrs[0]), dial(t, addrs[1])
	for i, write := range []string{"cm.del pages k%d", "cm.set pages k%d new", "cm.set pages k%d new nx get", "cm.clear pages", "cm.clear pages prefix k"} {
		for j := range 6 {
			key := i*10 + j
			token := won(one.do(fmt.Sprint("cm.get pages k", key)))
			if token == "" {
				t.Fatal("not won")
			}
			ask := write
			if strings.Contains(write, "%d") {
				ask = fmt.Sprintf(write, key)
			}
			two.do(ask)
			if got := one.do(fmt.Sprintf("cm.fill pages k%d %s old", key, token)); !strings.HasPrefix(got, "VOID") {
				t.Errorf("after %s: %s", ask, got)
			}
			if got := two.do(fmt.Sprintf("cm.mget pages k%d", key)); got == `["old"]` {
				t.Errorf("after %s: %s", ask, got)
			}
		}
	}
}
