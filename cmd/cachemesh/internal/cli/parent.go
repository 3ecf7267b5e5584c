package cli

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/member"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/redis"
)

// A parent is the process that runs this member as a part of itself, and without which it must
// not go on. The zero parent is none.
type parent struct {
	in       io.Reader  // ends when the parent does, however it does; nil: none
	ppid     func() int // changes then, too, where the system tells
	announce io.Writer  // has a line of JSON when the member is ready; nil: none
}

const (
	lookEvery  = 250 * time.Millisecond
	orphanTime = 500 * time.Millisecond // to leave in order, for a member whose parent has ended
	orphanMost = 3 * orphanTime         // until it ends all the same: it hears of what it sent, its log may be stuck
)

// gone returns what is closed when the parent ends: when its end of standard input is closed, or, should
// another child of it have that open still, when this process gets another parent. It looks until ctx ends.
func (p parent) gone(ctx context.Context) <-chan struct{} {
	if p.in == nil {
		return nil
	}
	ended, closed := make(chan struct{}), make(chan struct{})
	go func() { // a read of a pipe cannot be called off: this ends with the process
		defer close(closed)
		io.Copy(io.Discard, p.in)
	}()
	was := p.ppid()
	go func() {
		defer close(ended)
		look := time.NewTicker(lookEvery)
		defer look.Stop()
		for p.ppid() == was {
			select {
			case <-closed:
				return
			case <-ctx.Done():
				return
			case <-look.C:
			}
		}
	}()
	return ended
}

// A readyLine is what a member says when it is ready, on one line.
type readyLine struct {
	Event    string `json:"event"` // "ready"
	Name     string `json:"name"`
	Mesh     string `json:"mesh"`             // host:port for other members
	Redis    string `json:"redis,omitempty"`  // for Redis clients
	Socket   string `json:"socket,omitempty"` // the path of theirs
	HTTP     string `json:"http,omitempty"`
	PID      int    `json:"pid"`
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`
}

// ready announces a member that is ready.
func (p parent) ready(m *member.Member, c config.Config, log *slog.Logger) {
	if p.announce == nil {
		return
	}
	addr := func(a net.Addr) string {
		if a == nil {
			return ""
		}
		return a.String()
	}
	line, err := json.Marshal(readyLine{"ready", m.Node.Name(), m.Node.Addr(), addr(m.RedisAddr), c.Redis.Socket, addr(m.HTTPAddr), os.Getpid(), redis.Protocol, version()})
	if err == nil {
		_, err = p.announce.Write(append(line, '\n'))
	}
	if err != nil {
		log.Warn("nobody took what this member says when it is ready", "err", err)
	}
}
