//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/praveenduddu/cachemesh/internal/meshtest"
)

// newMesh starts the members, one after the other, and waits until they agree.
func newMesh(ctx context.Context, members int, secret []byte, verbose bool) (m *mesh, err error) {
	m = &mesh{
		origin: meshtest.NewOrigin(), verbose: verbose, secret: secret, members: make([]*process, members), down: make([]bool, members),
	}
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	if m.dir, err = os.MkdirTemp("", "cmfaults"); err != nil {
		return m, err
	}
	if m.control, err = net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(m.dir, "control"), Net: "unix"}); err != nil {
		return m, err
	}
	if m.net, err = newNetwork(ctx, members); err != nil {
		return m, err
	}
	for i := range members {
		if err := m.start(ctx, i); err != nil {
			return m, err
		}
	}
	_, err = m.await(ctx, m.all(), probeTimeout)
	return m, err
}

// start starts member i, again if it ran before.
func (m *mesh) start(ctx context.Context, i int) error {
	p, err := m.startProcess(ctx, i)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.members[i], m.down[i] = p, false
	return nil
}

const startTime = 15 * time.Second

// startProcess runs this program as member i in its namespace and waits until it
// has joined.
func (m *mesh) startProcess(ctx context.Context, i int) (*process, error) {
	c := memberConfig{
		Name: meshtest.HostName(i), Listen: net.JoinHostPort(m.net.addr(i), "3000"), Control: m.control.Addr().String(),
		Secret: m.secret, Accept: m.accept, Verbose: m.verbose,
	}
	for s := range 3 {
		c.Bootstrap = append(c.Bootstrap, net.JoinHostPort(m.net.addr(s), "3000"))
	}
	if m.members[0] == nil { // nobody is there yet
		c.JoinTimeout = 100 * time.Millisecond
	}
	config, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{ready: make(chan struct{}), ended: make(chan struct{})}
	// The ip command becomes the program, so signals reach that.
	p.cmd = exec.Command("ip", "netns", "exec", m.net.space(i), self)
	p.cmd.Env = append(os.Environ(), memberEnv+"="+string(config))
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for the controller alone
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	if err := m.connect(ctx, p); err != nil {
		p.kill()
		return nil, fmt.Errorf("starting member %d: %w", i, err)
	}
	return p, nil
}

// connect takes the member's call and waits for its hello. Members are started
// one after the other, so the next caller is this one.
func (m *mesh) connect(ctx context.Context, p *process) error {
	m.control.SetDeadline(time.Now().Add(startTime))
	conn, err := m.control.Accept()
	if err != nil {
		return err
	}
	p.link = newLink(conn, func(q message) (a message) {
		if q.Kind == kindHello {
			close(p.ready)
			return a
		}
		m.loads.count(q.Key)
		v, err := m.origin.Load(context.Background(), q.Key)
		a.Value = v
		a.fail(err)
		return a
	})
	m.work.Go(func() { p.link.run(json.NewDecoder(conn)) })
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case <-p.ready:
		return nil
	case <-p.ended:
		return errGone
	case <-timer.C:
		return errors.New("it does not serve")
	case <-ctx.Done():
		return ctx.Err()
	}
}
