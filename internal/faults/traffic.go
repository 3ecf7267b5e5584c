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

// warmTraffic starts readers and writers at every member, and returns once keys are in
// memory and hot.
func (m *mesh) warmTraffic(ctx context.Context, edits ...func(*meshtest.Traffic)) (*meshtest.Traffic, error) {
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
