package main

import (
	"strings"
	"sync"

	"github.com/tidwall/redcon"
)

// serveRedcon serves GET and SET from a map, as redcon's own example does.
func serveRedcon(addr string) error {
	var mu sync.RWMutex
	items := make(map[string][]byte)
	return redcon.ListenAndServe(addr, func(conn redcon.Conn, cmd redcon.Command) {
		switch strings.ToLower(string(cmd.Args[0])) {
		case "ping":
			conn.WriteString("PONG")
		case "config":
			conn.WriteArray(0)
		case "set":
			if len(cmd.Args) != 3 {
				conn.WriteError("ERR wrong number of arguments")
				return
			}
			value := append([]byte(nil), cmd.Args[2]...)
			mu.Lock()
			items[string(cmd.Args[1])] = value
			mu.Unlock()
			conn.WriteString("OK")
		case "get":
			if len(cmd.Args) != 2 {
				conn.WriteError("ERR wrong number of arguments")
				return
			}
			mu.RLock()
			value, ok := items[string(cmd.Args[1])]
			mu.RUnlock()
			if ok {
				conn.WriteBulk(value)
			} else {
				conn.WriteNull()
			}
		default:
			conn.WriteError("ERR unknown command")
		}
	}, nil, nil)
}
