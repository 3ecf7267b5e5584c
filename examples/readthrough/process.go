package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A process is a member that runs as a child of this process. Its standard input
// is its life line: when this process dies, however, the child sees the end.
type process struct {
	name  string
	ready ready
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{} // closed when the process has ended and was waited for
}

const startTime = 10 * time.Second

// startProcess runs this program again as a member and waits until it serves.
func startProcess(ctx context.Context, c memberConfig) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	p := &process{name: c.Name, cmd: exec.Command(self), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), memberEnv+"="+string(config))
	p.cmd.Stderr = os.Stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	// Wait closes the pipe, so it comes after the reading.
	first := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		first <- line
		p.cmd.Wait()
		close(p.ended)
	}()
	if err := p.await(ctx, first); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// await takes the child's ready line.
func (p *process) await(ctx context.Context, first <-chan string) error {
	timeout := time.NewTimer(startTime)
	defer timeout.Stop()
	select {
	case line := <-first:
		if err := json.NewDecoder(strings.NewReader(line)).Decode(&p.ready); err != nil {
			return fmt.Errorf("%s ended before it was ready", p.name)
		}
		return nil
	case <-timeout.C:
		return fmt.Errorf("%s was not ready after %v", p.name, startTime)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// kill ends the process as a crash would, and waits for its end.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.stdin.Close()
	<-p.ended
}

// stop lets the process leave the mesh in order, and kills it if it takes too
// long, about which it returns an error.
func (p *process) stop() error {
	io.WriteString(p.stdin, stopWord+"\n") // fails if the process has ended, which is what we want
	p.stdin.Close()
	timeout := time.NewTimer(2*stopTime + time.Second)
	defer timeout.Stop()
	select {
	case <-p.ended:
		return nil
	case <-timeout.C:
		p.kill()
		return fmt.Errorf("%s did not stop and was killed", p.name)
	}
}

// alive reports whether the process still runs.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}
