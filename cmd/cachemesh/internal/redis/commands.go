package redis

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A command is what a client can ask for.
type command struct {
	name              string
	arity             int // arguments, the name included; -n: at least n
	flags             string
	first, last, step int // which arguments are keys
	run               func(c *conn, args [][]byte)
	summary           string
	open              bool // strangers may send it
}

// commands are all commands by name, in lower case. They are put there by the init of
// another file, for COMMAND reads them.
var commands map[string]*command

const longestName = 32

// do carries out a command and writes its answer.
func (c *conn) do(args [][]byte) {
	c.count++
	var lower [longestName]byte
	name := lower[:0]
	if len(args[0]) <= longestName {
		name = append(name, args[0]...)
		for i, b := range name {
			if b >= 'A' && b <= 'Z' {
				name[i] = b | 0x20
			}
		}
	}
	cmd := commands[string(name)]
	if c.partial { // whoever waits for an answer to go out may wait for this command, too
		c.flush()
	}
	switch {
	case cmd == nil && (string(name) == "post" || string(name) == "host:"):
		// A web page makes a browser send a request: its lines must not be commands.
		if c.s.mayWarn() {
			c.s.o.Log.Warn("an HTTP request came to the port for Redis clients; its connection is closed", "addr", c.nc.RemoteAddr())
		}
		c.ending = true
	case cmd == nil && !c.known:
		c.w.Error("NOAUTH Authentication required.")
	case cmd == nil:
		gather(c, nil, args)
		c.w.Error(unknown(args))
	case c.queue.open && c.known && gather(c, cmd, args):
	case len(args) != cmd.arity && (cmd.arity > 0 || len(args) < -cmd.arity):
		c.arity(cmd.name)
	case !c.known && !cmd.open:
		c.w.Error("NOAUTH Authentication required.")
	default:
		c.tracking.said = false
		readOther(c, cmd, args)
		cmd.run(c, args)
		if !c.tracking.said && !c.queue.open {
			c.tracking.caching = false
		}
		c.noteLast(cmd.name)
	}
	if c.skip > 0 {
		c.skip--
		c.w.Mute = c.off || c.skip > 0
	}
}

const mostGathered = 256 // GETs in one call

// gathers reports whether a command is a GET that can wait for more of them.
func (c *conn) gathers(args [][]byte) bool {
	return c.known && !c.w.Mute && !c.tracking.on && !c.queue.open && len(args[0]) == 3 && args[0][0]|0x20 == 'g' && args[0][1]|0x20 == 'e' && args[0][2]|0x20 == 't' &&
		len(args[1]) <= cachemesh.MaxKeyLen
}

// runGets answers the GETs that were gathered.
func (c *conn) runGets() {
	if len(c.gets) == 0 {
		return
	}
	c.count += int64(len(c.gets))
	if len(c.gets) == 1 {
		v, err := c.get(c.gets[0])
		c.value(v, err)
	} else {
		c.many(c.gets)
	}
	clear(c.gets)
	c.gets = c.gets[:0]
	c.noteLast("get")
}

// noteLast keeps what CLIENT LIST shows, once for commands that came together.
func (c *conn) noteLast(name string) {
	if c.w.Buffered() > 0 && c.info.last == name {
		return
	}
	c.mu.Lock()
	c.info.last, c.info.at, c.info.proto = name, time.Now(), c.w.Proto
	c.mu.Unlock()
}

// unknown is what Redis says of a command that it does not know; clients compare it.
func unknown(args [][]byte) string {
	const most = 128
	var rest strings.Builder
	for _, arg := range args[1:] {
		if rest.Len() >= most {
			break
		}
		fmt.Fprintf(&rest, "'%s' ", cut(arg, most-rest.Len()))
	}
	return fmt.Sprintf("ERR unknown command '%s', with args beginning with: %s", cut(args[0], most), rest.String())
}

func cut(b []byte, n int) []byte { return b[:min(n, len(b))] }

// A sub is a command of a command.
type sub struct {
	arity int // the name and the sub's name included; -n: at least n
	run   func(c *conn, args [][]byte)
}

// subs carries out one of the commands of a command.
func subs(of string, all map[string]sub) func(c *conn, args [][]byte) {
	return func(c *conn, args [][]byte) {
		name := strings.ToLower(string(cut(args[1], longestName)))
		s, ok := all[name]
		switch {
		case !ok:
			c.w.Error(fmt.Sprintf("ERR unknown subcommand '%s'. Try %s HELP.", cut(args[1], 128), strings.ToUpper(of)))
		case len(args) != s.arity && (s.arity > 0 || len(args) < -s.arity):
			c.arity(of + "|" + name)
		default:
			s.run(c, args)
		}
	}
}

func ok(c *conn, _ [][]byte) { c.w.Simple("OK") }

var multiCommands = []command{
	{"multi", 1, "noscript loading stale fast", 0, 0, 0, multi, "Gathers commands that read, until EXEC.", false},
	{"exec", 1, "noscript loading stale", 0, 0, 0, exec, "Carries the gathered commands out, one after the other: others may write meanwhile.", false},
	{"discard", 1, "noscript loading stale fast", 0, 0, 0, discard, "Forgets the gathered commands.", false},
}

const (
	mostQueued      = 1000
	mostQueuedBytes = 1 << 20
	queuedArg       = 48 // bytes that an argument takes beside its own, and a command
)

// A queue is what a client has gathered since MULTI.
type queue struct {
	open, failed bool
	commands     []queued
	bytes        int // taken from the budget
}

type queued struct {
	cmd  *command
	args [][]byte
}

func multi(c *conn, _ [][]byte) {
	if c.queue.open {
		c.w.Error("ERR MULTI calls can not be nested")
		return
	}
	c.queue.open = true
	c.w.Simple("OK")
}

func discard(c *conn, _ [][]byte) {
	if !c.queue.open {
		c.w.Error("ERR DISCARD without MULTI")
		return
	}
	dropQueue(c)
	c.w.Simple("OK")
}

// gather keeps a command until EXEC. It reports false for one that is carried out at once.
func gather(c *conn, cmd *command, args [][]byte) bool {
	q := &c.queue
	switch {
	case !q.open:
		return false
	case cmd == nil:
		q.failed = true
		return false
	case cmd.name == "multi" || cmd.name == "exec" || cmd.name == "discard" || cmd.name == "reset" || cmd.name == "quit":
		return false
	case len(args) != cmd.arity && (cmd.arity > 0 || len(args) < -cmd.arity):
		q.failed = true
		return false
	case !strings.Contains(cmd.flags, "readonly") || cmd.first == 0:
		q.failed = true
		c.w.Error("ERR only commands that read keys can be in a MULTI here")
		return true
	}
	takes := queuedArg
	for _, arg := range args {
		takes += queuedArg + len(arg)
	}
	switch {
	case q.failed: // EXEC will do nothing
		c.w.Simple("QUEUED")
		return true
	case len(q.commands) == mostQueued || q.bytes+takes > mostQueuedBytes || !c.s.budget.Take(takes):
		dropQueue(c)
		q.open, q.failed = true, true
		c.w.Error("ERR there is too much in this MULTI")
		return true
	}
	q.bytes += takes
	kept := queued{cmd, make([][]byte, len(args))}
	for i, arg := range args {
		kept.args[i] = bytes.Clone(arg)
	}
	q.commands = append(q.commands, kept)
	c.w.Simple("QUEUED")
	return true
}

// dropQueue forgets what was gathered since MULTI, and that one was said.
func dropQueue(c *conn) {
	c.s.budget.Give(c.queue.bytes)
	c.queue = queue{}
}

func exec(c *conn, _ [][]byte) {
	q := c.queue
	c.queue = queue{}
	defer c.s.budget.Give(q.bytes)
	switch {
	case !q.open:
		c.w.Error("ERR EXEC without MULTI")
	case q.failed:
		c.w.Error("EXECABORT Transaction discarded because of previous errors.")
	default:
		c.w.Array(len(q.commands))
		for _, each := range q.commands {
			readOther(c, each.cmd, each.args)
			each.cmd.run(c, each.args)
		}
	}
}

// A timedWriter writes to a connection, and fails when a write takes longer than timeout. It sets
// the deadline anew only when a quarter of it has passed.
type timedWriter struct {
	conn    *conn
	timeout time.Duration
	set     time.Time
	holds   bool // flush has the wire; else an answer is larger than the buffer
}

func (t *timedWriter) Write(b []byte) (int, error) {
	c := t.conn
	if !t.holds {
		c.wire <- struct{}{}
		defer func() { <-c.wire }()
		c.partial = true
	}
	if t.timeout > 0 {
		if now := time.Now(); now.Sub(t.set) > t.timeout/4 {
			t.set = now
			c.nc.SetWriteDeadline(now.Add(t.timeout))
		}
	}
	n, err := c.nc.Write(b)
	if tcp, is := c.nc.(*net.TCPConn); is && err != nil {
		tcp.SetLinger(0) // what it has not taken is not kept for it after the end
	}
	return n, err
}
