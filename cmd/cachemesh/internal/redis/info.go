package redis

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// A section of INFO.
type section struct {
	name  string
	lines func(s *Server) [][2]any
}

var sections = []section{
	{"server", func(s *Server) [][2]any {
		up := s.uptime()
		return [][2]any{{"redis_version", redisVersion}, {"redis_mode", "standalone"}, {"cachemesh_version", s.o.Version}, {"cachemesh_protocol", Protocol},
			{"os", runtime.GOOS + " " + runtime.GOARCH}, {"arch_bits", 64}, {"process_id", os.Getpid()},
			{"uptime_in_seconds", int64(up / time.Second)}, {"uptime_in_days", int64(up / (24 * time.Hour))}, {"hz", 10}}
	}},
	{"clients", func(s *Server) [][2]any {
		return [][2]any{{"connected_clients", len(s.clients())}, {"maxclients", s.most.Load()}, {"blocked_clients", 0}, {"tracking_clients", s.tracks.clients.Load()}}
	}},
	{"memory", func(s *Server) [][2]any {
		g := s.o.Group.Stats()
		return [][2]any{{"used_memory", g.Bytes}, {"maxmemory", g.MaxBytes}, {"maxmemory_policy", "allkeys-lru"},
			{"clients_buffered", s.o.MaxBuffered - s.budget.Left()}}
	}},
	{"persistence", func(*Server) [][2]any {
		return [][2]any{{"loading", 0}, {"rdb_bgsave_in_progress", 0}, {"aof_enabled", 0}}
	}},
	{"stats", func(s *Server) [][2]any {
		g := s.o.Group.Stats()
		hits := g.OwnHits + g.HotHits + g.PeerHits
		return [][2]any{{"total_connections_received", s.accepted.Load()}, {"rejected_connections", s.refused.Load()},
			{"total_commands_processed", s.commands.Load()}, {"keyspace_hits", hits}, {"keyspace_misses", g.Gets - min(hits, g.Gets)},
			{"expired_keys", g.Expired}, {"evicted_keys", g.Evictions}}
	}},
	{"replication", func(*Server) [][2]any {
		return [][2]any{{"role", "master"}, {"connected_slaves", 0}, {"master_replid", strings.Repeat("0", 40)}, {"master_repl_offset", 0}}
	}},
	{"cluster", func(*Server) [][2]any { return [][2]any{{"cluster_enabled", 0}} }},
	{"mesh", func(s *Server) [][2]any {
		n := s.o.Node.Stats()
		return [][2]any{{"member", s.o.Node.Name()}, {"members", n.Members}, {"settled", n.Settled}, {"mode", n.Mode}}
	}},
	{"keyspace", func(s *Server) [][2]any {
		n := s.o.Group.Stats().Entries
		if n == 0 {
			return nil
		}
		return [][2]any{{"db0", fmt.Sprintf("keys=%d,expires=0,avg_ttl=0", n)}}
	}},
}

func (s *Server) uptime() time.Duration { return time.Since(s.began) }

func info(c *conn, args [][]byte) {
	wanted := make(map[string]bool)
	for _, arg := range args[1:] {
		wanted[strings.ToLower(string(cut(arg, longestName)))] = true
	}
	all := len(args) == 1 || wanted["all"] || wanted["default"] || wanted["everything"]
	var text strings.Builder
	for _, s := range sections {
		if !all && !wanted[s.name] {
			continue
		}
		if text.Len() > 0 {
			text.WriteString("\r\n")
		}
		fmt.Fprintf(&text, "# %s\r\n", strings.ToUpper(s.name[:1])+s.name[1:])
		for _, line := range s.lines(c.s) {
			fmt.Fprintf(&text, "%v:%v\r\n", line[0], line[1])
		}
	}
	c.w.Verbatim(text.String())
}
