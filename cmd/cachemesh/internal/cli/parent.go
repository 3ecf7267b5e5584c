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
	gone     <-chan struct{} // closed when it ends, however it does; nil: never
	announce io.Writer       // has a line of JSON when the member is ready; nil: none
}

const (
	lookEvery  = 250 * time.Millisecond
	orphanTime = time.Second             // to leave in order, for a member whose parent has ended
	orphanMost = 1700 * time.Millisecond // until it ends all the same: it hears of what it sent, its log may be stuck
)

// logTime returns how long the last lines of the log may take.
func (p parent) logTime() time.Duration {
	select {
	case <-p.gone:
		return orphanTime / 2
	default:
		return 2 * time.Second
	}
}

// gone returns what is closed when the parent ends: when its end of standard input is closed, or, should
// another child of it have that open still, when this process gets another parent, where the system tells. It looks until
// ctx ends.
func gone(ctx context.Context, in io.Reader, ppid func() int) <-chan struct{} {
	ended, closed := make(chan struct{}), make(chan struct{})
	go func() { // a read of a pipe cannot be called off: this ends with the process
		defer close(closed)
		io.Copy(io.Discard, in)
	}()
	was := ppid()
	go func() {
		look := time.NewTicker(lookEvery)
		defer look.Stop()
		for ppid() == was {
			select {
			case <-closed:
				close(ended)
				return
			case <-ctx.Done():
				return
			case <-look.C:
			}
		}
		close(ended)
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

// ready announces a member that is ready. Nobody may take what it says: that is not waited for.
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
	go func() {
		if err == nil {
			_, err = p.announce.Write(append(line, '\n'))
		}
		if err != nil {
			log.Warn("nobody took what this member says when it is ready", "err", err)
		}
	}()
}
