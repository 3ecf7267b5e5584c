//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// memberEnv holds a memberConfig and makes this program a member.
const memberEnv = "CACHEMESH_FAULTS_MEMBER"

type memberConfig struct {
	Name, Listen, Control string
	Bootstrap             []string
	Secret                []byte
	Accept                [][]byte
	JoinTimeout           time.Duration
	Verbose               bool
}

// A member is one process of the mesh, which does what the controller asks.
type member struct {
	node  *cachemesh.Node
	rows  *cachemesh.Group[int]
	probe *cachemesh.Group[int]
	link  *link

	copied map[int]*cachemesh.Group[int] // those with copies, by how many
}

// runMember serves until the controller hangs up.
func runMember(config string) (code int) {
	var c memberConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		return 2
	}
	if err := c.run(); err != nil {
		fmt.Fprintf(os.Stderr, "faults: %s: %v\n", c.Name, err)
		return 1
	}
	return 0
}

func (c memberConfig) run() error {
	conn, err := net.Dial("unix", c.Control)
	if err != nil {
		return err
	}
	defer conn.Close()
	o := cachemesh.Options{Name: c.Name, ListenAddr: c.Listen, BootstrapNodes: c.Bootstrap, Secret: c.Secret, AcceptSecrets: c.Accept, JoinTimeout: c.JoinTimeout}
	if c.Verbose {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	m := &member{}
	if m.node, err = cachemesh.New(o); err != nil {
		return err
	}
	defer m.node.Close()
	m.link = newLink(conn, m.answer)
	if m.rows, err = cachemesh.NewGroup(m.node, groupRows, m.load, cachemesh.GroupOptions[int]{HotReads: 1}); err != nil {
		return err
	}
	if m.probe, err = cachemesh.NewGroup[int](m.node, "probe", nil, cachemesh.GroupOptions[int]{Replicas: 1}); err != nil {
		return err
	}
	m.copied = make(map[int]*cachemesh.Group[int])
	for _, n := range []int{2, 3} {
		if m.copied[n], err = cachemesh.NewGroup[int](m.node, fmt.Sprint("copies ", n), nil, cachemesh.GroupOptions[int]{Replicas: n}); err != nil {
			return err
		}
	}
	ended := make(chan struct{})
	go func() { m.link.run(json.NewDecoder(conn)); close(ended) }()
	if err := m.node.Start(); err != nil {
		return err
	}
	if err := m.link.send(message{Kind: kindHello, Key: c.Name}); err != nil {
		return err
	}
	<-ended
	return nil
}

// load asks the controller, which keeps the rows.
func (m *member) load(ctx context.Context, key string) (int, error) {
	a, err := m.link.ask(ctx, message{Kind: kindLoad, Key: key})
	return a.Value, err
}

func (m *member) answer(q message) (a message) {
	if q.Timeout == 0 {
		q.Timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), q.Timeout)
	defer cancel()
	var err error
	switch q.Kind {
	case kindGet:
		a.Value, err = m.rows.Get(ctx, q.Key)
	case kindSet:
		err = m.rows.Set(ctx, q.Key, q.Value, 0)
	case kindDelete:
		err = m.rows.Delete(ctx, q.Key)
	case kindMembers:
		for _, other := range m.node.Members() {
			a.Names = append(a.Names, other.Name)
		}
	case kindSettled:
		err = m.probe.Delete(ctx, probeKeys()...)
	case kindHotHits:
		a.Value = int(m.rows.Stats().HotHits)
	case kindLoads:
		a.Value = int(m.rows.Stats().Loads)
	case kindHeld:
		for key := range m.rows.All() {
			a.Names = append(a.Names, key)
		}
	case kindPut:
		err = m.copied[q.Copies].Set(ctx, q.Key, q.Value, 0)
	case kindFetch:
		a.Value, err = m.copied[q.Copies].Get(ctx, q.Key)
	case kindWrong:
		a.Names, err = wrong(ctx, m.copied[q.Copies], q.Names)
	case kindLacking:
		for _, g := range m.copied {
			st := g.Stats()
			a.Value += int(st.Lacking + st.Hidden)
		}
	case kindLeave:
		err = m.node.Shutdown(ctx)
	}
	a.fail(err)
	return a
}

// probeKeys are enough to meet keys of each member: their Delete is answered once
// nobody acts by an older view.
func probeKeys() []string {
	keys := make([]string, 128)
	for i := range keys {
		keys[i] = fmt.Sprint("probe ", i)
	}
	return keys
}
