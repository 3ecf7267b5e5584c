//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/meshtest"
)

// The defaults of Options.MaxStale and Options.Lease.
const (
	maxStale = 10 * time.Second
	lease    = time.Second
)

const warmUp = 2 * time.Second // until keys are in memory and hot

// A scenario plays a fault on a mesh and reports what it did to callers.
type scenario struct {
	name    string
	members int
	play    func(ctx context.Context, m *mesh) error
	secret  []byte // of the members
}

var scenarios = []scenario{
	{"kill -9 of an owner", 5, killOwner, nil},
	{"SIGSTOP of a holder during a Delete", 3, stopHolder, nil},
	{"SIGSTOP of an owner for 5 s", 5, stopOwner, nil},
	{"SIGSTOP of an owner, callers in a hurry", 3, stopOwnerInAHurry, nil},
	{"restart within 500 ms", 5, restart, nil},
	{"link down for 10 s", 5, linkDown, nil},
	{"black hole 3|2", 5, blackHole, nil},
	{"SIGSTOP of an owner, callers with 500 ms", 5, stopOwnerOfTheHasty, nil},
	{"restart at the address, after a while", 3, restartLater, nil},
	{"TCP lost, UDP alive", 4, loseTCP, nil},
	{"kill -9 of one of 3", 3, killOneOf, nil},
	{"kill -9 of one of 10", 10, killOneOf, nil},
	{"rolling deploy, and of another Secret", 5, deploy, oldSecret},
}

// traffic starts readers and writers at every member.
func (m *mesh) traffic(ctx context.Context, edits ...func(*meshtest.Traffic)) (*meshtest.Traffic, error) {
	keys := make([]string, 40)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	tr := &meshtest.Traffic{
		Seed: uint64(time.Now().UnixNano()), Keys: keys, Origin: m.origin, Ledger: meshtest.NewLedger(maxStale),
		Members: len(m.members), Readers: 2, Writers: 4, Pause: 10 * time.Millisecond, Timeout: 15 * time.Second, Group: m.group,
	}
	for _, edit := range edits {
		edit(tr)
	}
	if err := tr.Fill(ctx); err != nil {
		return nil, err
	}
	tr.Start()
	return tr, nil
}

// warmTraffic is traffic, once keys are in memory and hot.
func (m *mesh) warmTraffic(ctx context.Context, edits ...func(*meshtest.Traffic)) (*meshtest.Traffic, error) {
	tr, err := m.traffic(ctx, edits...)
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, warmUp); err != nil {
		tr.Stop()
		return nil, err
	}
	return tr, nil
}

// recovered waits until all members agree, goes on for a while, and judges.
func (m *mesh) recovered(ctx context.Context, tr *meshtest.Traffic, within time.Duration, since string, linger time.Duration, struck ...int) (meshtest.Outcome, error) {
	if err := m.whole(ctx, m.all(), within, since); err != nil {
		return meshtest.Outcome{}, err
	}
	tr.Ledger.Agree()
	if err := wait(ctx, linger); err != nil {
		return meshtest.Outcome{}, err
	}
	return m.judge(tr, struck...), nil
}

// judge stops the traffic and reports what readers saw, and how long a Get took
// at members other than those that were struck.
func (m *mesh) judge(tr *meshtest.Traffic, struck ...int) meshtest.Outcome {
	out, v := tr.Stop(), tr.Ledger.Verdict()
	var longest time.Duration
	for i, took := range out.LongestReadAt {
		if !slices.Contains(struck, i) {
			longest = max(longest, took)
		}
	}
	m.report(out.ReadErrors == 0, "0 reads fail", "%d of %d reads failed; longest Get elsewhere %v", out.ReadErrors, out.Reads, ms(longest))
	m.report(v.Stale == 0 && v.Reads > 0, "0 stale reads", "%d of %d reads stale; oldest value read %v after a later one", v.Stale, v.Reads, ms(v.Oldest))
	if m.verbose || v.Stale > 0 || out.ReadErrors > 0 || out.WriteErrors > 0 {
		for _, s := range v.First {
			fmt.Fprintln(os.Stderr, "stale:", s)
		}
		fmt.Fprintln(os.Stderr, strings.Join(out.Samples, "\n"))
	}
	return out
}

func ms(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// whole waits until these members agree, and reports when.
func (m *mesh) whole(ctx context.Context, which []int, within time.Duration, since string) error {
	took, err := m.await(ctx, which, within+5*time.Second)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
	}
	m.report(err == nil && took <= within, fmt.Sprintf("within %v", within), "%d members agree %v after %s", len(which), ms(took), since)
	return nil
}

func killOwner(ctx context.Context, m *mesh) error {
	tr, err := m.warmTraffic(ctx)
	if err != nil {
		return err
	}
	defer tr.Stop()
	const victim = 2 // it owns a fifth of the keys
	tr.Ledger.Agree()
	m.kill(victim)
	if err := m.whole(ctx, []int{0, 1, 3, 4}, 10*time.Second, "the crash"); err != nil {
		return err
	}
	if err := wait(ctx, 3*time.Second); err != nil {
		return err
	}
	m.judge(tr, victim)
	return nil
}

func restart(ctx context.Context, m *mesh) error {
	tr, err := m.warmTraffic(ctx)
	if err != nil {
		return err
	}
	defer tr.Stop()
	const victim = 1
	tr.Ledger.Agree()
	m.kill(victim)
	began := time.Now()
	if err := m.start(ctx, victim); err != nil {
		return err
	}
	took := time.Since(began)
	out, err := m.recovered(ctx, tr, 10*time.Second, "the restart", 7*time.Second, victim)
	if err != nil {
		return err
	}
	late := began.Add(took + 3*time.Second)
	m.report(!out.LastReadError.After(late) && !out.LastWriteError.After(late), "0 errors after 3 s",
		"serving again %v after kill -9; %d writes failed until then", ms(took), out.WriteErrors)
	return nil
}
