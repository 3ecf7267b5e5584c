package redis_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/claims"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/redis"
)

// serve serves each member of a mesh in memory to Redis clients, and returns where.
func serve(t testing.TB, members int, change func(*redis.Options)) []string {
	c := cachemeshtest.New(t, members)
	group := cachemeshtest.Group[[]byte](c, "default", nil, cachemesh.GroupOptions[[]byte]{})
	var addrs []string
	for i := range members {
		o := redis.Options{Node: c.Node(i), Group: group(i)}
		if change != nil {
			change(&o)
		}
		addrs = append(addrs, serveMember(t, o))
	}
	return addrs
}

// serveMember serves one member, and returns where.
func serveMember(t testing.TB, o redis.Options) string {
	_, addr := serveServer(t, o)
	return addr
}

func serveServer(t testing.TB, o redis.Options) (*redis.Server, string) {
	for at, value := range map[*int]int{&o.MaxClients: 100, &o.MaxValue: 1 << 20} {
		*at = cmp.Or(*at, value)
	}
	if o.Claims = claims.New(); o.Use == nil {
		o.Use = groups.New(o.Node, config.OtherGroups{}).Use
	}
	o.MaxBuffered = cmp.Or(o.MaxBuffered, 16<<20)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 10*time.Second)
	o.Version, o.Log = "test", cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	s := redis.NewServer(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, l.Addr().String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A plain is a connection that speaks RESP by hand.
type plain struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader
}

func dial(t testing.TB, addr string) *plain {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	must(t, err)
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(time.Minute))
	return &plain{t, nc, bufio.NewReader(nc)}
}

func (p *plain) send(text string) {
	p.t.Helper()
	_, err := io.WriteString(p.nc, text)
	must(p.t, err)
}

// do sends a command, words in a line, and returns its answer as redis-cli would print it on
// one line.
func (p *plain) do(line string) string {
	p.t.Helper()
	p.send(line + "\r\n")
	return p.answer()
}

func (p *plain) answer() string {
	p.t.Helper()
	line, err := p.r.ReadString('\n')
	if err != nil {
		return "gone: " + err.Error()
	}
	kind, rest := line[0], strings.TrimSuffix(line[1:], "\r\n")
	n, _ := strconv.Atoi(rest)
	switch kind {
	case '+', '-':
		return rest
	case ':':
		return "(" + rest + ")"
	case ',':
		return "," + rest
	case '_':
		return "(nil)"
	case '$', '=':
		if n < 0 {
			return "(nil)"
		}
		b := make([]byte, n+2)
		if _, err := io.ReadFull(p.r, b); err != nil {
			return "gone: " + err.Error()
		}
		return strconv.Quote(string(b[:n]))
	case '%':
		n *= 2
	case '*', '~', '>':
	default:
		return fmt.Sprintf("unknown answer %q", line)
	}
	var all []string
	for range n {
		all = append(all, p.answer())
	}
	return "[" + strings.Join(all, " ") + "]"
}
