//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Names of namespaces are nsPrefix, this process's ID, and a number or "switch".
const nsPrefix = "cmfaults-"

// A network is a number of namespaces, one per member, joined by a bridge in a
// namespace of its own. Nothing of it is visible outside.
type network struct {
	prefix  string
	members int
}

// newNetwork makes the namespaces. If it fails it leaves none.
func newNetwork(ctx context.Context, members int) (n *network, err error) {
	n = &network{prefix: fmt.Sprintf("%s%d-", nsPrefix, os.Getpid()), members: members}
	defer func() {
		if err != nil {
			n.remove()
		}
	}()
	if err := ip(ctx, "netns add "+n.bridge()); err != nil {
		return nil, err
	}
	if err := ip(ctx, "-n "+n.bridge()+" link add br0 type bridge", "-n "+n.bridge()+" link set br0 up"); err != nil {
		return nil, err
	}
	for i := range members {
		ns, port := n.space(i), fmt.Sprint("p", i)
		err := ip(ctx,
			"netns add "+ns,
			"-n "+n.bridge()+" link add "+port+" type veth peer name eth0 netns "+ns,
			"-n "+n.bridge()+" link set "+port+" master br0 up",
			"-n "+ns+" addr add "+n.addr(i)+"/24 dev eth0",
			"-n "+ns+" link set lo up",
			"-n "+ns+" link set eth0 up")
		if err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *network) bridge() string     { return n.prefix + "switch" }
func (n *network) space(i int) string { return n.prefix + strconv.Itoa(i) }
func (n *network) addr(i int) string  { return fmt.Sprint("10.77.0.", i+1) }

// partition makes members of different sides unreachable for each other: packets
// vanish without an answer. heal ends it.
func (n *network) partition(ctx context.Context, a, b []int) error { return n.holes(ctx, "add", a, b) }
func (n *network) heal(ctx context.Context, a, b []int) error      { return n.holes(ctx, "del", a, b) }

func (n *network) holes(ctx context.Context, verb string, a, b []int) error {
	for _, i := range a {
		for _, j := range b {
			err := ip(ctx,
				"-n "+n.space(i)+" route "+verb+" blackhole "+n.addr(j)+"/32",
				"-n "+n.space(j)+" route "+verb+" blackhole "+n.addr(i)+"/32")
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// setLink takes a member's link "up" or "down".
func (n *network) setLink(ctx context.Context, i int, state string) error {
	return ip(ctx, "-n "+n.space(i)+" link set eth0 "+state)
}

// loseTCP drops every TCP packet that reaches a member, without an answer, and leaves
// UDP alone: no connection can be opened either way, and those that are open stall. It
// needs no packet filter: a rule can look at the protocol, if it comes before the one for
// local addresses. findTCP ends it.
func (n *network) loseTCP(ctx context.Context, i int) error {
	ns := "-n " + n.space(i) + " rule "
	return ip(ctx,
		ns+"add pref 100 lookup local",
		ns+"add pref 10 iif eth0 ipproto tcp type blackhole",
		ns+"del pref 0")
}

func (n *network) findTCP(ctx context.Context, i int) error {
	ns := "-n " + n.space(i) + " rule "
	return ip(ctx, ns+"add pref 0 lookup local", ns+"del pref 10", ns+"del pref 100")
}

// remove removes the namespaces, and with them all that is in them.
func (n *network) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var errs []error
	for i := range n.members {
		errs = append(errs, ip(ctx, "netns del "+n.space(i)))
	}
	return errors.Join(append(errs, ip(ctx, "netns del "+n.bridge()))...)
}

// ip runs the ip command with each line of arguments.
func ip(ctx context.Context, lines ...string) error {
	for _, line := range lines {
		out, err := exec.CommandContext(ctx, "ip", strings.Fields(line)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// removeLeftovers removes the namespaces of runs that were killed.
func removeLeftovers(ctx context.Context) {
	out, err := exec.CommandContext(ctx, "ip", "netns", "list").Output()
	if err != nil {
		return // newNetwork will say what is wrong
	}
	for line := range strings.Lines(string(out)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest, ours := strings.CutPrefix(name, nsPrefix)
		if !ours {
			continue
		}
		owner, _, _ := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(owner)
		if err == nil && pid != os.Getpid() && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			ip(ctx, "netns del "+name)
		}
	}
}
