package meshtest

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// maxStale is the default of Options.MaxStale, lease of Options.Lease.
const (
	maxStale = 10 * time.Second
	lease    = time.Second
)

var moreSeeds = flag.Int("faultseeds", 0, "number of seeds of each scenario with a failure; 0: its own")

// underFault runs a scenario for several seeds, or the one to replay.
func underFault(t *testing.T, seeds int, play func(t *testing.T, seed uint64)) {
	run := func(seed uint64) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { play(t, seed) })
			if t.Failed() {
				t.Logf("replay with -run '%s' -seed %d", t.Name(), seed)
			}
		})
	}
	if *oneSeed != 0 {
		run(*oneSeed)
		return
	}
	if *moreSeeds != 0 {
		seeds = *moreSeeds
	}
	for seed := range uint64(seeds) {
		run(seed + 1)
	}
}

// stage starts a mesh for a test, which prints the faults if it fails.
func stage(t *testing.T, seed uint64, members int) *Stage {
	t.Helper()
	return stageOf(t, Config{Seed: seed, Members: members, HotReads: 1})
}

func stageOf(t *testing.T, cfg Config) *Stage {
	t.Helper()
	if *oneSeed != 0 {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	s, err := NewStage(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Net.SetLatency(0, 2*time.Millisecond)
	t.Cleanup(func() {
		s.Close()
		if t.Failed() {
			t.Logf("faults:\n%s", s.Trace())
		}
	})
	return s
}

// traffic starts traffic on a group of the stage.
func (s *Stage) traffic(t *testing.T, seed uint64, group func(int) *cachemesh.Group[int], edit func(*Traffic)) *Traffic {
	t.Helper()
	tr := &Traffic{
		Seed: seed, Keys: keys("k", 40), Origin: s.Origin, Ledger: NewLedger(maxStale),
		Members: len(s.nodes), Readers: 2, Writers: 4, Pause: 20 * time.Millisecond, Timeout: 15 * time.Second,
		Group: func(i int) Group {
			if g := group(i); g != nil {
				return g
			}
			return nil
		},
	}
	if edit != nil {
		edit(tr)
	}
	if err := tr.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	tr.Start()
	t.Cleanup(func() { tr.Stop() })
	return tr
}

func keys(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint(prefix, i)
	}
	return all
}

// finish stops traffic and fails the test if a read was stale.
func finish(t *testing.T, what string, tr *Traffic) (Outcome, Verdict) {
	t.Helper()
	out, v := tr.Stop(), tr.Ledger.Verdict()
	if v.Stale > 0 {
		t.Errorf("%s: %d of %d reads were stale:\n%s", what, v.Stale, v.Reads, lines(v.First))
	}
	t.Logf("%s: %d reads (%d failed, longest %v), %d writes (%d failed, longest %v), %d late reads, the oldest by %v",
		what, out.Reads, out.ReadErrors, round(out.LongestRead), out.Writes, out.WriteErrors, round(out.LongestWrite), v.Late, round(v.Oldest))
	if len(out.Samples) > 0 {
		t.Logf("%s: errors:\n\t%s", what, strings.Join(out.Samples, "\n\t"))
	}
	if v.Reads == 0 {
		t.Errorf("%s: nothing was read", what)
	}
	return out, v
}

func lines[T fmt.Stringer](list []T) string {
	var b strings.Builder
	for _, x := range list {
		fmt.Fprintf(&b, "\t%v\n", x)
	}
	return b.String()
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// noReadFailed fails the test if one did.
func noReadFailed(t *testing.T, what string, out Outcome) {
	t.Helper()
	if out.ReadErrors > 0 {
		t.Errorf("%s: %d reads failed", what, out.ReadErrors)
	}
}
