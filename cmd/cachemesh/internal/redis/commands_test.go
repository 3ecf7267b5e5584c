package redis_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/redis"
)

const (
	syntax  = "ERR syntax error"
	integer = "ERR value is not an integer or out of range"
)

// miniatures are commands with their answers, each list on an empty cache. "~" accepts any
// number from the first to the second.
var miniatures = map[string][]string{
	"set and get": {
		"set k v", "OK", "get k", `"v"`, "get none", "(nil)", "set k", "ERR wrong number of arguments for 'set' command",
		"set k v ex", syntax, "set k v ex x", integer, "set k v ex 0", "ERR invalid expire time in 'set' command", "set k v ex 9223372036854775807", "ERR invalid expire time in 'set' command",
		"set k v nx xx", syntax, "set k v ex 1 px 1", syntax, "set k v keepttl ex 1", syntax, "set k v bogus", syntax,
		"set k w nx", "(nil)", "get k", `"v"`, "set n w nx", "OK", "set m w xx", "(nil)", "set k w xx", "OK",
		"set k x get", `"w"`, "set new x get", "(nil)", "set k y nx get", `"x"`, "get k", `"x"`, "set other y nx get", "(nil)", "get other", `"y"`,
		"set k z ex 100", "OK", "ttl k", "~99 100", "set k z keepttl", "OK", "ttl k", "~99 100", "set k z", "OK", "ttl k", "(-1)",
		"set k z px 100000", "OK", "pttl k", "~90000 100000", "set k z exat 1", "OK", "get k", "(nil)", "set k z pxat 99999999999999", "OK", "exists k", "(1)",
		`set "" v`, "ERR invalid key: it is empty", "get \"\\x00\\r\\n\"", "(nil)", "set \"\\x00\\r\\n\" \"a\\r\\n\"", "OK", "get \"\\x00\\r\\n\"", `"a\r\n"`,
	},
	"a key that cannot be": { // of several: nothing is done
		"set a 1", "OK", `mset a 2 "" 3`, "ERR invalid key: it is empty", "get a", `"1"`, `del a ""`, "ERR invalid key: it is empty", `unlink "" a`, "ERR invalid key: it is empty", "get a", `"1"`,
	},
	"setnx setex getset getdel": {
		"setnx k v", "(1)", "setnx k w", "(0)", "get k", `"v"`, "setex k 100 w", "OK", "ttl k", "~99 100", "setex k 0 w", "ERR invalid expire time in 'setex' command", "setex k x w", integer,
		"psetex k 100000 w", "OK", "pttl k", "~90000 100000", "psetex k -1 w", "ERR invalid expire time in 'psetex' command",
		"getset k x", `"w"`, "ttl k", "(-1)", "getset none x", "(nil)", "getdel k", `"x"`, "getdel k", "(nil)", "get k", "(nil)",
	},
	"several keys": {
		"mset a 1 b 2 a 3", "OK", "mset a", "ERR wrong number of arguments for 'mset' command", "mset a 1 b", "ERR wrong number of arguments for 'mset' command",
		"mget a b c a", `["3" "2" (nil) "3"]`, "exists a b c a", "(3)", "touch a c", "(1)", "del a a c", "(1)", "unlink b", "(1)", "mget a b", "[(nil) (nil)]", "dbsize", "(0)",
	},
	"getex": {
		"getex k", "(nil)", "getex k ex 100", "(nil)", "exists k", "(0)", "set k v", "OK", "getex k ex 100", `"v"`, "ttl k", "~99 100", "getex k persist", `"v"`, "ttl k", "(-1)",
		"getex k pxat 1", `"v"`, "get k", "(nil)", "getex k ex", syntax, "getex k ex x", integer, "getex k ex 0", "ERR invalid expire time in 'getex' command", "getex k persist ex 1", syntax,
	},
	"times": {
		"ttl k", "(-2)", "pttl k", "(-2)", "expiretime k", "(-2)", "expire k 10", "(0)", "persist k", "(0)", "set k v", "OK", "pexpiretime k", "(-1)",
		"expire k x", integer, "expire k 10 bogus", "ERR Unsupported option bogus", "expire k 10 nx gt", "ERR NX and XX, GT or LT options at the same time are not compatible",
		"expire k 10 gt lt", "ERR GT and LT options at the same time are not compatible", "expire k 9223372036854775807", "ERR invalid expire time in 'expire' command",
		"expire k 100 xx", "(0)", "expire k 100 gt", "(0)", "expire k 100 nx", "(1)", "ttl k", "~99 100", "expire k 200 nx", "(0)", "expire k 200 lt", "(0)", "expire k 200 gt", "(1)", "ttl k", "~199 200",
		"expire k 50 gt", "(0)", "expire k 50 lt", "(1)", "ttl k", "~49 50", "expire k 60 xx", "(1)", "persist k", "(1)", "persist k", "(0)", "ttl k", "(-1)",
		"pexpire k 100000", "(1)", "pttl k", "~90000 100000", "expireat k 99999999999", "(1)", "expireat k 1", "(1)", "exists k", "(0)", "set k v", "OK", "expire k 0", "(1)", "get k", "(nil)",
		"set k v", "OK", "pexpireat k 1 lt", "(1)", "get k", "(nil)", "set k v", "OK", "expire k -1", "(1)", "get k", "(nil)",
	},
	"numbers": {
		"incr n", "(1)", "incrby n 41", "(42)", "decr n", "(41)", "decrby n 1", "(40)", "get n", `"40"`, "incrby n x", integer, "set s x", "OK", "incr s", integer,
		"set n 9223372036854775807", "OK", "incr n", "ERR increment or decrement would overflow", "get n", `"9223372036854775807"`, "decrby n -9223372036854775808", "ERR decrement would overflow",
		"set n 1 ex 100", "OK", "incr n", "(2)", "ttl n", "~99 100",
		"incrbyfloat f 1.5", `"1.5"`, "incrbyfloat f 0.1", `"1.6"`, "incrbyfloat f -1.6", `"0"`, "incrbyfloat f 3e2", `"300"`, "incrbyfloat s 1", "ERR value is not a valid float", "incrbyfloat f x", "ERR value is not a valid float",
		"incrbyfloat f inf", "ERR increment would produce NaN or Infinity", "incrbyfloat f 1e9999", "ERR value is not a valid float", "incrbyfloat f 0x10", "ERR value is not a valid float",
	},
	"parts": {
		"append k ab", "(2)", "append k cd", "(4)", "strlen k", "(4)", "strlen none", "(0)", "getrange k 1 2", `"bc"`, "getrange k -2 -1", `"cd"`, "getrange k 0 -1", `"abcd"`, "getrange k 3 1", `""`,
		"getrange k -1 -5", `""`, "getrange k 5 9", `""`, "getrange k 0 -100", `""`, "getrange k -100 1", `"ab"`, "getrange none 0 -1", `""`, "getrange k a b", integer, "substr k 0 100", `"abcd"`, "expire k 100", "(1)", "append k e", "(5)", "ttl k", "~99 100",
	},
	"what a value is": {
		"type k", "none", "object encoding k", "(nil)", "memory usage k", "(nil)", "set k 12", "OK", "type k", "string", "object encoding k", `"int"`, "set k ab", "OK", "object encoding k", `"embstr"`,
		"set k " + strings.Repeat("x", 45), "OK", "object encoding k", `"raw"`, "object idletime k", "(0)", "object refcount k", "(1)", "memory usage k", "~50 1000", "memory usage k samples 5", "~50 1000", "memory usage k bogus", syntax,
		"object bogus k", "ERR unknown subcommand 'bogus'. Try OBJECT HELP.", "object encoding", "ERR wrong number of arguments for 'object|encoding' command",
	},
	"keys": {
		"randomkey", "(nil)", "keys *", "[]", "scan 0", `["0" []]`, "set hello 1", "OK", "keys h?llo", `["hello"]`, "keys x*", "[]", "randomkey", `"hello"`, "scan 0 match h* count 100", `["0" ["hello"]]`,
		"scan 0 match x*", `["0" []]`, "scan 0 type string", `["0" ["hello"]]`, "scan 0 type list", `["0" []]`, "scan x", "ERR invalid cursor", "scan 0 count 0", syntax, "scan 0 count x", integer, "scan 0 bogus", syntax,
		"scan 12345 type list", `["0" []]`, "scan 18446744073709551616", "ERR invalid cursor", "scan 18446744073709551615", `["0" []]`, "dbsize", "(1)", "flushall async", "OK", "dbsize", "(0)", "flushdb bogus", syntax, "flushdb", "OK",
	},
	"the connection": {
		"ping", "PONG", "ping hi", `"hi"`, "ping a b", "ERR wrong number of arguments for 'ping' command", "echo hi", `"hi"`, "select 0", "OK", "select 1", "ERR DB index is out of range", "select x", integer,
		"auth x", "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?", "hello 4", "NOPROTO unsupported protocol version", "hello x", "ERR Protocol version is not an integer or out of range",
		"hello 3 bogus", "ERR Syntax error in HELLO option 'bogus'", "client setname a", "OK", "client getname", `"a"`, "client setname \"a b\"", "ERR Client names cannot contain spaces, newlines or special characters.",
		"client setinfo lib-name x", "OK", "client setinfo bogus x", "ERR Unrecognized option 'bogus'", "client no-evict on", "OK", "client bogus", "ERR unknown subcommand 'bogus'. Try CLIENT HELP.",
		"client tracking on", "ERR CLIENT TRACKING needs RESP3 here: say HELLO 3 first", "client caching yes", "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled", "client getredir", "(-1)",
		"multi", "OK", "multi", "ERR MULTI calls can not be nested", "get k", "QUEUED", "pttl k", "QUEUED", "exec", "[(nil) (-2)]", "exec", "ERR EXEC without MULTI", "discard", "ERR DISCARD without MULTI", "multi", "OK", "discard", "OK",
		"multi", "OK", "set k v", "ERR only commands that read keys can be in a MULTI here", "exec", "EXECABORT Transaction discarded because of previous errors.", "multi", "OK", "get", "ERR wrong number of arguments for 'get' command", "exec", "EXECABORT Transaction discarded because of previous errors.",
		"client maint_notifications on", "ERR CLIENT MAINT_NOTIFICATIONS is not supported by this version of cachemesh",
		"reset", "RESET", "client getname", "(nil)", "wait 0 0", "(0)", "wait x 0", integer, "config get save", `["save" ""]`, "config get max*", "any", "config set timeout 100", "OK", "config get timeout", `["timeout" "100"]`,
		"config set save x", "ERR CONFIG SET failed (possibly related to argument 'save') - can't set immutable config", "config set bogus x", "ERR Unknown option or number of arguments for CONFIG SET - 'bogus'",
		"command count", "~50 200", "command info get bogus", `[["get" (2) [readonly fast] (1) (1) (1) [] [] [] []] (nil)]`, "command docs bogus", "[]", "cluster slots", "ERR This instance has cluster support disabled",
		"time", "any", "info", "any", "command", "any", "command docs", "any", "function flush", "OK",
		"bogus a b", "ERR unknown command 'bogus', with args beginning with: 'a' 'b' ", "BOGUS", "ERR unknown command 'BOGUS', with args beginning with: ", "quit", "OK",
	},
}

func TestMiniatures(t *testing.T) {
	for name, lines := range miniatures {
		t.Run(name, func(t *testing.T) {
			p := dial(t, serve(t, 1, nil)[0])
			for i := 0; i < len(lines); i += 2 {
				got, want := p.do(lines[i]), lines[i+1]
				if from, to := 0, 0; strings.HasPrefix(want, "~") {
					fmt.Sscanf(want, "~%d %d", &from, &to)
					n := -1
					if fmt.Sscanf(got, "(%d)", &n); n < from || n > to {
						t.Errorf("%s: %s, want %s", lines[i], got, want)
					}
				} else if got != want && (want != "any" || strings.HasPrefix(got, "ERR") || strings.HasPrefix(got, "gone")) {
					t.Errorf("%s: %s, want %s", lines[i], got, want)
				}
			}
		})
	}
}

// A connection reads what it wrote, however its commands arrive, whoever owns the keys.
func TestPipelines(t *testing.T) {
	p := dial(t, serve(t, 3, nil)[0])
	var in, want strings.Builder
	for i := range 200 {
		fmt.Fprintf(&in, "set k%d a%d\r\nget k%d\r\nget none\r\nset k%d b%d\r\nget k%d\r\nget k%d\r\nincr n\r\nget n\r\n", i%7, i, i%7, i%7, i, i%7, i%7)
		fmt.Fprintf(&want, "OK %q (nil) OK %q %q (%d) \"%d\" ", fmt.Sprint("a", i), fmt.Sprint("b", i), fmt.Sprint("b", i), i+1, i+1)
	}
	go p.send(in.String())
	var got strings.Builder
	for range 200 * 8 {
		got.WriteString(p.answer() + " ")
	}
	if got.String() != want.String() {
		t.Errorf("got  %.300s\nwant %.300s", got.String(), want.String())
	}
}

func TestReplyOffAndSkip(t *testing.T) {
	p := dial(t, serve(t, 1, nil)[0])
	p.send("client reply off\r\nset k v\r\nget k\r\nget k\r\nbogus\r\n")
	if got := p.do("client reply on"); got != "OK" {
		t.Error(got)
	}
	p.send("client reply skip\r\nget k\r\nget k\r\nget none\r\n")
	if got := p.answer() + p.answer(); got != `"v"(nil)` {
		t.Error(got)
	}
}

// Clients of other makers, each on another member of one mesh.
func TestClients(t *testing.T) {
	addrs := serve(t, 3, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for proto := 2; proto <= 3; proto++ {
		client := goredis.NewClient(&goredis.Options{Addr: addrs[0], Protocol: proto})
		defer client.Close()
		must(t, client.Set(ctx, "k", "v", time.Minute).Err())
		if got, err := client.Get(ctx, "k").Result(); got != "v" || err != nil {
			t.Errorf("RESP%d: %q, %v", proto, got, err)
		}
		if _, err := client.Get(ctx, "none").Result(); err != goredis.Nil {
			t.Errorf("RESP%d: %v, want Nil", proto, err)
		}
		cmds, err := client.Pipelined(ctx, func(p goredis.Pipeliner) error {
			for i := range 100 {
				p.Set(ctx, fmt.Sprint("p", i), i, 0)
				p.Get(ctx, fmt.Sprint("p", i))
			}
			return nil
		})
		if err != nil || cmds[199].(*goredis.StringCmd).Val() != "99" {
			t.Errorf("RESP%d: %v, %v", proto, cmds[199], err)
		}
		if got, err := client.MGet(ctx, "p1", "none", "p2").Result(); err != nil || !slices.Equal(got, []any{"1", nil, "2"}) {
			t.Errorf("RESP%d: %v, %v", proto, got, err)
		}
		if got, err := client.IncrByFloat(ctx, "f", 0.5).Result(); err != nil || got != 0.5*float64(proto-1) {
			t.Errorf("RESP%d: %v, %v", proto, got, err)
		}
		must(t, client.Info(ctx).Err())
		must(t, client.Command(ctx).Err())
	}
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: addrs[1:2], DisableCache: true})
	must(t, err)
	defer client.Close()
	if got, err := client.Do(ctx, client.B().Get().Key("k").Build()).ToString(); got != "v" || err != nil {
		t.Errorf("rueidis: %q, %v", got, err)
	}
	if n, err := client.Do(ctx, client.B().Del().Key("k", "p1", "none").Build()).AsInt64(); n != 2 || err != nil {
		t.Errorf("rueidis: %d, %v", n, err)
	}
	other := dial(t, addrs[2])
	if got := other.do("mget k p1 p2"); got != `[(nil) (nil) "2"]` {
		t.Error(got)
	}
}

func TestPassword(t *testing.T) {
	addr := serve(t, 1, func(o *redis.Options) { o.Password = "sesame" })[0]
	p := dial(t, addr)
	for _, c := range [][2]string{
		{"get k", "NOAUTH Authentication required."}, {"ping", "NOAUTH Authentication required."}, {"bogus", "NOAUTH Authentication required."},
		{"auth wrong", "WRONGPASS invalid username-password pair or user is disabled."}, {"auth other sesame", "WRONGPASS invalid username-password pair or user is disabled."},
		{"auth sesame", "OK"}, {"get k", "(nil)"}, {"reset", "RESET"}, {"get k", "NOAUTH Authentication required."}, {"auth default sesame", "OK"}, {"get k", "(nil)"},
	} {
		if got := p.do(c[0]); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
	if got := dial(t, addr).do("hello 3"); !strings.HasPrefix(got, "NOAUTH HELLO must be called") {
		t.Error(got)
	}
	if got := dial(t, addr).do("hello 3 auth default sesame setname x"); !strings.HasPrefix(got, `["server" "redis"`) {
		t.Error(got)
	}
	client := goredis.NewClient(&goredis.Options{Addr: addr, Password: "sesame"})
	defer client.Close()
	must(t, client.Ping(t.Context()).Err())
}
