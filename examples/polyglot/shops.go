package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// A goShop is a service in Go with a Redis client.
type goShop struct{ cache *redis.Client }

func newGoShop(addr string) goShop { return goShop{redis.NewClient(&redis.Options{Addr: addr})} }

func (goShop) name() string { return "Go" }

func (s goShop) close() { s.cache.Close() }

func (s goShop) do(ctx context.Context, command ...string) (string, error) {
	if command[0] == "count" {
		return "done", s.count(ctx, command[1], command[2])
	}
	args := make([]any, len(command))
	for i, a := range command {
		args[i] = a
	}
	answer, err := s.cache.Do(ctx, args...).Text()
	if errors.Is(err, redis.Nil) {
		return "(nil)", nil
	}
	return answer, err
}

// count adds one as often as it is told.
func (s goShop) count(ctx context.Context, key, times string) error {
	n, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	for range n {
		if err := s.cache.Incr(ctx, key).Err(); err != nil {
			return err
		}
	}
	return nil
}

// A nodeShop is a service in Node, which takes a command a line.
type nodeShop struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startNodeShop(ctx context.Context, dir, addr string) (*nodeShop, error) {
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		return nil, fmt.Errorf("its packages are not installed: npm ci --prefix %s", dir)
	}
	cmd := exec.CommandContext(ctx, "node", filepath.Join(dir, "shop.mjs"))
	cmd.Env = append(os.Environ(), "REDIS_URL=redis://"+addr)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &nodeShop{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

func (*nodeShop) name() string { return "Node" }

func (s *nodeShop) close() {
	s.in.Close()
	s.cmd.Wait()
}

func (s *nodeShop) do(_ context.Context, command ...string) (string, error) {
	if err := json.NewEncoder(s.in).Encode(command); err != nil {
		return "", err
	}
	line, err := s.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("it ended: %w", err)
	}
	line = strings.TrimSuffix(line, "\n")
	if text, failed := strings.CutPrefix(line, "error: "); failed {
		return "", errors.New(text)
	}
	return line, nil
}

// curl is a person with a shell, who asks a member's HTTP API.
type curl struct{ addr string }

func (curl) name() string { return "curl" }

func (c curl) do(ctx context.Context, command ...string) (string, error) {
	method := map[string]string{"GET": "GET", "DEL": "DELETE"}[command[0]]
	url := fmt.Sprintf("http://%s/v1/groups/default/keys/%s", c.addr, command[1])
	out, err := exec.CommandContext(ctx, "curl", "-sS", "--fail-with-body", "-X", method, url).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return string(out), nil
}
