package redis

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"
)

const mostLabel = 256 // bytes of a client's name, library or version

var connectionCommands = []command{
	{"hello", -1, "noscript loading stale fast no_auth", 0, 0, 0, hello, "Chooses the version of the protocol, and says the password.", true},
	{"auth", -2, "noscript loading stale fast no_auth", 0, 0, 0, auth, "Says the password.", true},
	{"quit", -1, "noscript loading stale fast no_auth", 0, 0, 0, quit, "Closes the connection.", true},
	{"reset", 1, "noscript loading stale fast no_auth", 0, 0, 0, reset, "Makes the connection as it was at its begin.", true},
	{"ping", -1, "fast", 0, 0, 0, ping, "Returns PONG, or what it is given.", false},
	{"echo", 2, "fast", 0, 0, 0, func(c *conn, args [][]byte) { c.w.Bulk(args[1]) }, "Returns what it is given.", false},
	{"select", 2, "loading stale fast", 0, 0, 0, selectDB, "Chooses database 0, the only one.", false},
	{"client", -2, "", 0, 0, 0, subs("client", clientSubs), "Is about connections.", false},
}

// right compares a password in a time that does not depend on what is equal.
func (c *conn) right(user, password []byte) bool {
	want, got := sha256.Sum256([]byte(c.s.o.Password)), sha256.Sum256(password)
	same := subtle.ConstantTimeCompare(want[:], got[:]) == 1
	return string(user) == "default" && (same || c.s.o.Password == "")
}

const errPassword = "WRONGPASS invalid username-password pair or user is disabled."

const errGuesses = "ERR too many wrong passwords came from this client's address: try again in a moment"

func (c *conn) logIn(user, password []byte) bool {
	from := c.nc.RemoteAddr().String()
	if !c.s.guesses.Allows(from) {
		c.w.Error(errGuesses)
		c.ending = true
		return false
	}
	if !c.right(user, password) {
		c.s.guesses.Wrong(from)
		c.w.Error(errPassword)
		return false
	}
	if !c.known {
		c.setKnown(true)
		c.nc.SetReadDeadline(time.Time{})
	}
	return true
}

func auth(c *conn, args [][]byte) {
	switch {
	case len(args) > 3:
		c.w.Error(errSyntax)
	case len(args) == 2 && c.s.o.Password == "":
		c.w.Error("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?")
	case len(args) == 2 && c.logIn([]byte("default"), args[1]):
		c.w.Simple("OK")
	case len(args) == 3 && c.logIn(args[1], args[2]):
		c.w.Simple("OK")
	}
}

func hello(c *conn, args [][]byte) {
	proto := c.w.Proto
	if len(args) > 1 {
		n, good := integer(args[1])
		if !good {
			c.w.Error("ERR Protocol version is not an integer or out of range")
			return
		}
		if n != 2 && n != 3 {
			c.w.Error("NOPROTO unsupported protocol version")
			return
		}
		proto = int(n)
	}
	var user, password, name []byte
	for i := 2; i < len(args); {
		switch left := len(args) - i; {
		case is(args[i], "auth") && left > 2:
			user, password, i = args[i+1], args[i+2], i+3
		case is(args[i], "setname") && left > 1:
			if !label(args[i+1]) {
				c.w.Error(errLabel("Client names"))
				return
			}
			name, i = args[i+1], i+2
		default:
			c.w.Error(fmt.Sprintf("ERR Syntax error in HELLO option '%s'", cut(args[i], 128)))
			return
		}
	}
	if user != nil && !c.logIn(user, password) {
		return
	}
	if !c.known {
		c.w.Error("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time")
		return
	}
	if name != nil {
		c.edit(func(i *clientInfo) { i.name = string(name) })
	}
	if c.w.Proto = proto; proto == 2 {
		stopTracking(c)
	}
	c.w.Map(7)
	c.pair("server", "redis")
	c.pair("version", redisVersion)
	c.w.Text("proto")
	c.w.Int(int64(proto))
	c.w.Text("id")
	c.w.Int(c.id)
	c.pair("mode", "standalone")
	c.pair("role", "master")
	c.w.Text("modules")
	c.w.Array(0)
}

func quit(c *conn, _ [][]byte) {
	c.w.Simple("OK")
	c.ending = true
}

func reset(c *conn, _ [][]byte) {
	c.off, c.skip, c.w.Mute, c.w.Proto = false, 0, false, 2
	dropQueue(c)
	stopTracking(c)
	c.edit(func(i *clientInfo) { i.name = "" })
	if c.s.o.Password != "" {
		c.setKnown(false)
	}
	c.w.Simple("RESET")
}

func ping(c *conn, args [][]byte) {
	switch len(args) {
	case 1:
		c.w.Simple("PONG")
	case 2:
		c.w.Bulk(args[1])
	default:
		c.arity("ping")
	}
}

func selectDB(c *conn, args [][]byte) {
	switch n, good := integer(args[1]); {
	case !good:
		c.w.Error(errInteger)
	case n != 0:
		c.w.Error("ERR DB index is out of range")
	default:
		c.w.Simple("OK")
	}
}

func (c *conn) edit(f func(*clientInfo)) {
	c.mu.Lock()
	f(&c.info)
	c.mu.Unlock()
}

// label reports whether something can stand in CLIENT LIST.
func label(b []byte) bool {
	for _, c := range b {
		if c < '!' || c > '~' {
			return false
		}
	}
	return len(b) <= mostLabel
}

func errLabel(of string) string {
	return "ERR " + of + " cannot contain spaces, newlines or special characters."
}

func notYet(what string) sub {
	return sub{-2, func(c *conn, _ [][]byte) { c.w.Error("ERR " + what + " is not supported by this version of cachemesh") }}
}

var clientSubs = map[string]sub{
	"id":                  {2, func(c *conn, _ [][]byte) { c.w.Int(c.id) }},
	"getname":             {2, clientGetName},
	"setname":             {3, clientSetName},
	"setinfo":             {4, clientSetInfo},
	"list":                {-2, clientList},
	"info":                {2, func(c *conn, _ [][]byte) { c.w.Verbatim(c.describe() + "\n") }},
	"no-evict":            {3, onOrOff},
	"no-touch":            {3, onOrOff},
	"reply":               {3, clientReply},
	"getredir":            {2, getRedir},
	"tracking":            {-3, clientTracking},
	"caching":             {3, clientCaching},
	"maint_notifications": notYet("CLIENT MAINT_NOTIFICATIONS"),
}

func clientGetName(c *conn, _ [][]byte) {
	if c.info.name == "" {
		c.w.Null()
		return
	}
	c.w.Text(c.info.name)
}

func clientSetName(c *conn, args [][]byte) {
	if !label(args[2]) {
		c.w.Error(errLabel("Client names"))
		return
	}
	c.edit(func(i *clientInfo) { i.name = string(args[2]) })
	c.w.Simple("OK")
}

func clientSetInfo(c *conn, args [][]byte) {
	name := strings.ToLower(string(cut(args[2], longestName)))
	switch {
	case name != "lib-name" && name != "lib-ver":
		c.w.Error(fmt.Sprintf("ERR Unrecognized option '%s'", cut(args[2], 128)))
	case !label(args[3]):
		c.w.Error(errLabel(name))
	case name == "lib-name":
		c.edit(func(i *clientInfo) { i.libName = string(args[3]) })
		c.w.Simple("OK")
	default:
		c.edit(func(i *clientInfo) { i.libVersion = string(args[3]) })
		c.w.Simple("OK")
	}
}

func clientList(c *conn, _ [][]byte) {
	var all strings.Builder
	for _, other := range c.s.clients() {
		all.WriteString(other.describe())
		all.WriteByte('\n')
	}
	c.w.Verbatim(all.String())
}

// describe returns a client's line of CLIENT LIST.
func (c *conn) describe() string {
	c.mu.Lock()
	i := c.info
	c.mu.Unlock()
	now := time.Now()
	return fmt.Sprintf("id=%d addr=%s laddr=%s fd=0 name=%s age=%d idle=%d flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 cmd=%s user=default redir=-1 resp=%d lib-name=%s lib-ver=%s",
		c.id, c.nc.RemoteAddr(), c.nc.LocalAddr(), i.name, now.Sub(c.began)/time.Second, now.Sub(i.at)/time.Second, i.last, i.proto, i.libName, i.libVersion)
}

func onOrOff(c *conn, args [][]byte) {
	if !is(args[2], "on") && !is(args[2], "off") {
		c.w.Error(errSyntax)
		return
	}
	c.w.Simple("OK")
}

func clientReply(c *conn, args [][]byte) {
	switch {
	case is(args[2], "on"):
		c.off, c.w.Mute = false, false
		c.w.Simple("OK")
	case is(args[2], "off"):
		c.off, c.w.Mute = true, true
	case is(args[2], "skip"):
		if !c.off {
			c.skip, c.w.Mute = 2, true
		}
	default:
		c.w.Error(errSyntax)
	}
}
