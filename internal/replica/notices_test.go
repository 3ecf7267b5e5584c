package replica

import (
	"flag"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

var all = flag.Bool("all", false, "play all worlds without each rule, and count")

// from is about where the first world is that shows something.
var from = map[string]uint64{"sent in another view": 420, "no look after the recall": 190, "noted when answered": 170, "digests of successors only": 80, "asked for and passed by": 600}

// Builds without a rule must be noticed.
func TestSimulateNotices(t *testing.T) {
	for name, f := range map[string]faultinject.Replicas{
		"nil with too few copies":             {NilAlone: true},
		"sent in another view":                {OtherView: true},
		"no look after the recall":            {LookOnce: true},
		"digests of successors only":          {SuccessorsOnly: true},
		"shown before it has its copies":      {ShowFirst: true},
		"no wait for those that are missing":  {NoWait: true},
		"dropped by one's own view":           {OwnWord: true},
		"traces dropped with enough copies":   {ShortTraces: true},
		"traces dropped with members missing": {ForgetMissing: true},
		"noted when answered":                 {NoteLater: true},
		"taken though late":                   {TakeLate: true},
	} {
		t.Run(name, func(t *testing.T) {
			found, first := 0, uint64(0)
			var what string
			start := from[name]
			if *all {
				start = 0
			}
			for seed := start; seed < uint64(10**worlds); seed++ {
				if _, broke := simulate(t, seed, f, false); broke != "" && !strings.HasPrefix(broke, "it does not come to rest") {
					if found++; found == 1 {
						first, what = seed, broke
					}
					if !*all {
						break
					}
				}
			}
			if found == 0 {
				t.Fatalf("not noticed in %d worlds", 10**worlds)
			}
			t.Logf("%s: %d of %d worlds, first %d: %s", name, found, 10**worlds-int(start), first, what)
		})
	}
}
