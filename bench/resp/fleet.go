package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// A fleet is the servers that are measured.
type fleet struct {
	o        options
	commands []*exec.Cmd
}

func (f *fleet) start(name string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(name, args...)
	dir, err := os.MkdirTemp(f.o.scratch, "server-")
	if err != nil {
		return nil, err
	}
	cmd.Dir = dir
	f.commands = append(f.commands, cmd)
	return cmd, nil
}

// stop ends all servers.
func (f *fleet) stop() {
	for _, cmd := range f.commands {
		if cmd.Process != nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
}

// failed reports servers that are gone.
func (f *fleet) failed() (err error) {
	for _, cmd := range f.commands {
		if gone := cmd.Process.Signal(syscall.Signal(0)); gone != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", cmd, gone))
		}
	}
	return err
}

func (f *fleet) redis(ctx context.Context, args ...string) (addr string, err error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	cmd, err := f.start("redis-server", append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"}, args...)...)
	if err == nil {
		err = cmd.Start()
	}
	addr = "127.0.0.1:" + port
	return addr, errors.Join(err, answers(ctx, addr))
}

func (f *fleet) redcon(ctx context.Context) (addr string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	addr = "127.0.0.1:" + port
	cmd, err := f.start(self, "-redcon", addr)
	if err == nil {
		err = cmd.Start()
	}
	return addr, errors.Join(err, answers(ctx, addr))
}

// cluster starts a Redis Cluster of three, and returns what asks each for its keys.
func (f *fleet) cluster(ctx context.Context) (*load, error) {
	var addrs []string
	for len(addrs) < 3 {
		bus, err := freePort()
		if err != nil {
			return nil, err
		}
		addr, err := f.redis(ctx, "--cluster-enabled", "yes", "--cluster-port", bus)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	create := exec.CommandContext(ctx, "redis-cli", append(append([]string{"--cluster", "create"}, addrs...), "--cluster-yes")...)
	if out, err := create.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("redis-cli --cluster create: %w\n%s", err, out)
	}
	l := &load{}
	for i, addr := range addrs {
		p := place{addr: addr}
		for k := range keys {
			key := fmt.Sprintf("key:%012d", k)
			if slot := slotOf(key); slot*3/slots == i { // as --cluster create shares slots out, but for the borders
				p.keys = append(p.keys, key)
			}
		}
		l.places = append(l.places, p)
	}
	return l, l.dropMoved(ctx)
}

// A member is one of a mesh, with the addresses at which it is reached.
type member struct{ name, mesh, redis, http string }

var ready = regexp.MustCompile(`this member is ready.* member=(\S+) mesh=(\S+) redis=(\S+) http=(\S+)`)

// member starts a member, and waits until it is ready.
func (f *fleet) member(_ context.Context, bootstrap string, more ...string) (*member, error) {
	args := append([]string{"member", "--listen", "127.0.0.1:0", "--redis-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"}, more...)
	if bootstrap != "" {
		args = append(args, "--bootstrap", bootstrap, "--require-join")
	}
	program, err := filepath.Abs(f.o.program)
	if err != nil {
		return nil, err
	}
	cmd, err := f.start(program, args...)
	if err != nil {
		return nil, err
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(log)
	var said strings.Builder
	for lines.Scan() {
		if found := ready.FindStringSubmatch(lines.Text()); found != nil {
			go func() { // what it says later must not fill the pipe
				for lines.Scan() {
				}
			}()
			return &member{found[1], found[2], found[3], found[4]}, nil
		}
		said.WriteString(lines.Text() + "\n")
	}
	return nil, fmt.Errorf("the member ended before it was ready:\n%s", said.String())
}

// elsewhere returns what asks this member for keys of a group that others own.
func (m *member) elsewhere(ctx context.Context, group string) (*load, error) {
	p := place{addr: m.redis}
	for i := 0; len(p.keys) < 2*keys/3; i++ {
		key := fmt.Sprintf("key:%012d", i)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/v1/groups/%s/keys/%s/owner", m.http, group, key), nil)
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		var owner struct{ Owner string }
		err = json.NewDecoder(resp.Body).Decode(&owner)
		resp.Body.Close()
		if err != nil || owner.Owner == "" {
			return nil, fmt.Errorf("who owns %s? %s, %v", key, resp.Status, err)
		}
		if owner.Owner == m.name {
			continue
		}
		if group != "default" {
			key = group + ":" + key // as redis-prefixes has it
		}
		p.keys = append(p.keys, key)
	}
	return &load{places: []place{p}}, nil
}

// answers waits until a server answers.
func answers(ctx context.Context, addr string) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			return nc.Close()
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return err
		}
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port := split(l.Addr().String())
	return port, nil
}

func split(addr string) (host, port string) {
	host, port, _ = net.SplitHostPort(addr)
	return host, port
}
