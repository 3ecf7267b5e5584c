package proc

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// A child is a process that this one started.
type child struct {
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser // nil for a server program
	out    *bufio.Scanner
	errors tail
}

// startChild starts this program again, to be driven.
func startChild(name string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{name: name, cmd: exec.Command(self, Role)}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewScanner(out)
	c.out.Buffer(nil, maxLine)
	return c, c.start()
}

// startProgram starts a server program.
func startProgram(name string, args ...string) (*child, error) {
	c := &child{name: name, cmd: exec.Command(name, args...)}
	return c, c.start()
}

func (c *child) start() error {
	c.cmd.Stderr = &c.errors
	c.cmd.SysProcAttr = attr()
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// do asks the child for something and waits for its answer.
func (c *child) do(req request) (reply, error) {
	line, err := json.Marshal(req)
	if err != nil {
		return reply{}, err
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		return reply{}, fmt.Errorf("%s: %w\n%s", c.name, err, c.errors.String())
	}
	if !c.out.Scan() {
		return reply{}, fmt.Errorf("%s: it ended\n%s", c.name, c.errors.String())
	}
	var rep reply
	if err := json.Unmarshal(c.out.Bytes(), &rep); err != nil {
		return reply{}, fmt.Errorf("%s: %w", c.name, err)
	}
	if rep.Err != "" {
		return rep, fmt.Errorf("%s: %s", c.name, rep.Err)
	}
	return rep, nil
}

// endGrace is how long a child may take to end.
const endGrace = 3 * time.Second

// stop ends the child and waits for it.
func (c *child) stop() {
	if c.in != nil {
		c.in.Close()
	} else {
		c.cmd.Process.Signal(os.Interrupt)
	}
	kill := time.AfterFunc(endGrace, func() { c.cmd.Process.Kill() })
	defer kill.Stop()
	c.cmd.Wait()
}

// A tail keeps the last of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte // guarded by mu
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if extra := len(t.buf) - tailSize; extra > 0 {
		t.buf = t.buf[extra:]
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
