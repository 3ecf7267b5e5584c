package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// pair is this process's member of a mesh of two, and its groups by the size of their values.
type pair struct {
	node  *cachemesh.Node
	small bytesGroup
	large map[int]bytesGroup
}

// openPair starts a member.
func openPair(seeds []string) (*pair, error) {
	node, err := cachemesh.New(cachemesh.Options{BootstrapNodes: seeds, RequireJoin: len(seeds) > 0})
	if err != nil {
		return nil, err
	}
	open := func(size int) (bytesGroup, error) {
		load := func(context.Context, string) ([]byte, error) { return value(size), nil }
		return cachemesh.NewGroup(node, fmt.Sprint(size), load,
			cachemesh.GroupOptions[[]byte]{NoHotCopies: true, MaxBytes: 2 << 30})
	}
	m := &pair{node: node, large: make(map[int]bytesGroup)}
	if m.small, err = open(128); err != nil {
		return nil, err
	}
	for _, size := range []int{1 << 20, 16 << 20} {
		if m.large[size], err = open(size); err != nil {
			return nil, err
		}
	}
	return m, node.Start()
}

// serveMember is the second process: a member until its input ends.
func serveMember(seed string) error {
	m, err := openPair([]string{seed})
	if err != nil {
		return err
	}
	defer m.node.Close()
	fmt.Println(m.node.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// startPair starts both members, and waits until they know each other.
func startPair() (*pair, func(), error) {
	m, err := openPair(nil)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(os.Args[0], "-member", m.node.Addr())
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop := func() { m.node.Close(); in.Close(); cmd.Wait() }
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		stop()
		return nil, nil, err
	}
	for end := time.Now().Add(10 * time.Second); len(m.node.Members()) < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			stop()
			return nil, nil, errors.New("the members do not find each other")
		}
	}
	return m, stop, nil
}

// theirs returns n keys that the other member owns, and has.
func (m *pair) theirs(g bytesGroup, n int) ([]string, error) {
	var keys []string
	for i := 0; len(keys) < n; i++ {
		key := fmt.Sprintf("item:%08d", i)
		before := g.Stats().PeerCalls
		if _, err := g.Get(context.Background(), key); err != nil {
			return nil, err
		}
		if g.Stats().PeerCalls > before {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
