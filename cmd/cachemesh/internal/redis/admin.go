package redis

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// redisVersion is the version of Redis whose commands these are; clients look at it.
const redisVersion = "7.2.0"

var serverCommands = []command{
	{"info", -1, "loading stale", 0, 0, 0, info, "Says how the member does.", false},
	{"time", 1, "loading stale fast", 0, 0, 0, now, "Returns the member's time.", false},
	{"wait", 3, "", 0, 0, 0, wait, "Returns 0: there are no replicas.", false},
	{"config", -2, "", 0, 0, 0, subs("config", configSubs), "Reads and changes a few settings.", false},
	{"command", -1, "loading stale", 0, 0, 0, commandInfo, "Says which commands there are.", false},
	{"cluster", -2, "loading stale", 0, 0, 0, cluster, "Says that clients need not know of other members.", false},
	{"function", -2, "noscript", 0, 0, 0, subs("function", map[string]sub{"flush": {-2, ok}}), "Has no functions to forget.", false},
}

func cluster(c *conn, _ [][]byte) { c.w.Error("ERR This instance has cluster support disabled") }

func now(c *conn, _ [][]byte) {
	t := time.Now()
	c.w.Array(2)
	c.w.Text(strconv.FormatInt(t.Unix(), 10))
	c.w.Text(strconv.Itoa(t.Nanosecond() / 1000))
}

func wait(c *conn, args [][]byte) {
	if _, good := integer(args[1]); !good {
		c.w.Error(errInteger)
	} else if n, good := integer(args[2]); !good {
		c.w.Error("ERR timeout is not an integer or out of range")
	} else if n < 0 {
		c.w.Error("ERR timeout is negative")
	} else {
		c.w.Int(0)
	}
}

var configSubs = map[string]sub{
	"get":       {-3, configGet},
	"set":       {-4, configSet},
	"resetstat": {2, ok},
}

func (c *conn) settings() map[string]string {
	return map[string]string{
		"save":                   "",
		"appendonly":             "no",
		"databases":              "1",
		"maxmemory":              strconv.FormatInt(c.s.o.Group.Stats().MaxBytes, 10),
		"maxmemory-policy":       "allkeys-lru",
		"maxclients":             strconv.FormatInt(c.s.most.Load(), 10),
		"timeout":                strconv.FormatInt(int64(time.Duration(c.s.idle.Load())/time.Second), 10),
		"proto-max-bulk-len":     strconv.Itoa(c.s.o.MaxValue),
		"cluster-enabled":        "no",
		"notify-keyspace-events": "",
	}
}

func configGet(c *conn, args [][]byte) {
	all, found := c.settings(), make([]string, 0, 8)
	for name := range all {
		for _, pattern := range args[2:] {
			if match(strings.ToLower(string(pattern)), name) {
				found = append(found, name)
				break
			}
		}
	}
	sort.Strings(found)
	c.w.Map(len(found))
	for _, name := range found {
		c.pair(name, all[name])
	}
}

func configSet(c *conn, args [][]byte) {
	if len(args)%2 != 0 {
		c.arity("config|set")
		return
	}
	all := c.settings()
	for i := 2; i < len(args); i += 2 {
		name := strings.ToLower(string(cut(args[i], 64)))
		if _, known := all[name]; !known {
			c.w.Error(fmt.Sprintf("ERR Unknown option or number of arguments for CONFIG SET - '%s'", cut(args[i], 128)))
			return
		}
		n, good := integer(args[i+1])
		switch {
		case name != "maxclients" && name != "timeout":
			c.w.Error(fmt.Sprintf("ERR CONFIG SET failed (possibly related to argument '%s') - can't set immutable config", name))
			return
		case !good || n < 0 || n > 1<<31 || name == "maxclients" && n == 0:
			c.w.Error(fmt.Sprintf("ERR CONFIG SET failed (possibly related to argument '%s') - argument couldn't be parsed into an integer", name))
			return
		}
	}
	for i := 2; i < len(args); i += 2 {
		if n, _ := integer(args[i+1]); is(args[i], "timeout") {
			c.s.idle.Store(n * int64(time.Second))
		} else {
			c.s.most.Store(n)
		}
	}
	c.w.Simple("OK")
}

// commandInfo answers COMMAND and what begins with it. Since it reads the table of commands,
// its own subs are no part of a table.
func commandInfo(c *conn, args [][]byte) {
	if len(args) == 1 {
		c.writeCommands(allCommands())
		return
	}
	names := make([]string, 0, len(args))
	for _, arg := range args[2:] {
		names = append(names, strings.ToLower(string(cut(arg, longestName+1))))
	}
	if len(names) == 0 {
		names = allCommands()
	}
	switch {
	case is(args[1], "count") && len(args) == 2:
		c.w.Int(int64(len(commands)))
	case is(args[1], "list") && len(args) == 2:
		c.w.Array(len(names))
		for _, name := range names {
			c.w.Text(name)
		}
	case is(args[1], "info"):
		c.writeCommands(names)
	case is(args[1], "docs"):
		c.writeDocs(names)
	default:
		c.w.Error(fmt.Sprintf("ERR unknown subcommand '%s'. Try COMMAND HELP.", cut(args[1], 128)))
	}
}

func allCommands() []string {
	names := make([]string, 0, len(commands))
	for name := range commands {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (c *conn) writeCommands(names []string) {
	c.w.Array(len(names))
	for _, name := range names {
		cmd := commands[name]
		if cmd == nil {
			c.w.Null()
			continue
		}
		flags := strings.Fields(cmd.flags)
		c.w.Array(10)
		c.w.Text(cmd.name)
		c.w.Int(int64(cmd.arity))
		c.w.Set(len(flags))
		for _, flag := range flags {
			c.w.Simple(flag)
		}
		c.w.Int(int64(cmd.first))
		c.w.Int(int64(cmd.last))
		c.w.Int(int64(cmd.step))
		c.w.Set(0)   // categories of access
		c.w.Array(0) // tips
		c.w.Array(0) // where keys are
		c.w.Array(0) // commands of the command
	}
}

func (c *conn) writeDocs(names []string) {
	known := names[:0:0]
	for _, name := range names {
		if commands[name] != nil {
			known = append(known, name)
		}
	}
	c.w.Map(len(known))
	for _, name := range known {
		c.w.Text(name)
		c.w.Map(3)
		c.pair("summary", commands[name].summary)
		c.pair("since", "1.0.0")
		c.pair("group", "generic")
	}
}
