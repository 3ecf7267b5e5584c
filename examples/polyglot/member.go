package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// build builds the program into a folder.
func build(ctx context.Context, dir string) (path string, err error) {
	path = filepath.Join(dir, "cachemesh")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/praveenduddu/cachemesh/cmd/cachemesh")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building cachemesh: %w\n%s", err, out)
	}
	return path, nil
}

// A member is a process of the mesh, with the addresses at which it is reached.
type member struct {
	cmd               *exec.Cmd
	mesh, redis, http string
}

var ready = regexp.MustCompile(`this member is ready.* mesh=(\S+) redis=(\S+) http=(\S+)`)

// startMember starts a member on free ports and waits until it is ready.
func startMember(ctx context.Context, program, bootstrap string) (*member, error) {
	args := []string{"member", "--listen", "127.0.0.1:0", "--redis-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"}
	if bootstrap != "" {
		args = append(args, "--bootstrap", bootstrap, "--require-join")
	}
	cmd := exec.CommandContext(ctx, program, args...)
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	m := &member{cmd: cmd}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if said := ready.FindStringSubmatch(lines.Text()); said != nil {
			m.mesh, m.redis, m.http = said[1], said[2], said[3]
			go func() { // what it says later must not fill the pipe
				for lines.Scan() {
				}
			}()
			return m, nil
		}
		fmt.Fprintln(os.Stderr, lines.Text())
	}
	m.stop()
	return nil, errors.New("the member ended before it was ready")
}

// stop has the member hand over and leave, and waits for it.
func (m *member) stop() {
	m.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(10*time.Second, func() { m.cmd.Process.Kill() })
	defer timer.Stop()
	m.cmd.Wait()
}
