package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/bench/growth"
	"github.com/praveenduddu/cachemesh/bench/hitratio"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// document is a small one with something in every part.
func document() *Document {
	a, b := sample("remote-128-64", "cachemesh", 1, 3e5), sample("remote-128-64", "redis-rueidis", 1, 1e5)
	a.P50, b.P50, a.Suite, b.Suite = 100_000, 400_000, "remote", "remote"
	run := &work.Result{Ops: 1000, Elapsed: time.Second}
	run.Latency.Record(time.Millisecond)
	run.Latency.Pack()
	return &Document{
		Command: "go run .", Rounds: 1, Skipped: []string{"memcached: not there"},
		Samples: Samples{a, b, {Suite: "remote", Cell: "remote-128-64", System: "olric", Round: 1, Failure: "no <route>"}},
		Systems: []System{{Name: "cachemesh", Title: "CacheMesh"}, {Name: "redis-rueidis", Title: "Redis & rueidis"}},
		Suites:  []Suite{{Name: "remote", Title: "Remote", Cells: []Cell{{Name: "remote-128-64", Title: "64 callers", Work: "get"}}}},
		Growth: []growth.Result{{Members: 3, GetHere: run, GetAnywhere: run, SetAnywhere: run, ByteRate: 12,
			SessionsCPU: 0.0123, Held: []growth.HeldWrites{{Holders: 2, P50: time.Millisecond, P99: 3 * time.Millisecond}}}},
		Traces: []Trace{{Name: "T", Reads: 10, Distinct: 5}},
		HitRatio: []hitratio.Point{
			{Trace: "T", Policy: "CacheMesh", Capacity: 2, Ratio: 0.40}, {Trace: "T", Policy: "otter v2", Capacity: 2, Ratio: 0.45},
			{Trace: "T", Policy: "CacheMesh", Capacity: 4, Ratio: 0.60}, {Trace: "T", Policy: "otter v2", Capacity: 4, Ratio: 0.55},
		},
	}
}

func TestWriteSaysWhatWasMeasured(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "NOTES.md"), []byte("## Notes\n\nkept\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := document().Write(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "RESULTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"memcached: not there",                        // skipped by name
		"remote-128-64, olric: no <route>",            // and what failed
		"| Redis & rueidis | **3.00×** (3.00–3.00) |", // the ratio beside the other
		"| ≥ 2.00× | **3.00×** (3.00–3.00) | reached |",
		"| ≥ -2 | **-5.0** | missed by", // the worst capacity counts, not the best
		"| 2 | 40.0 % | 45.0 % | – | – |",
		"| 0.00 % | 1.23 % |",
		"| 3 | 2 | 1.00 ms | 3.00 ms |",
		"## Notes\n\nkept\n",
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("RESULTS.md lacks %q", want)
		}
	}
}

func TestChartsAreXMLForBothBackgrounds(t *testing.T) {
	charts := document().charts()
	if len(charts) < 4 {
		t.Fatalf("%d charts, want at least 4", len(charts))
	}
	for _, c := range charts {
		dec := xml.NewDecoder(strings.NewReader(c.svg))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", c.file, err)
				break
			}
		}
		if !strings.Contains(c.svg, "prefers-color-scheme: dark") {
			t.Errorf("%s has no colours for a dark page", c.file)
		}
		if strings.Contains(c.svg, "NaN") || strings.Contains(c.svg, "Inf") {
			t.Errorf("%s has a coordinate that is no number:\n%s", c.file, c.svg)
		}
	}
}

func TestVerdict(t *testing.T) {
	for _, test := range []struct {
		atLeast    bool
		got, bound float64
		want       string
	}{
		{true, 2, 2, "reached"}, {true, 1.5, 2, "missed by 25 %"}, {false, 1.2, 1.2, "reached"},
		{false, 1.5, 1.2, "missed by 25 %"}, {false, 3, 0, "missed"}, {false, 0, 0, "reached"},
		{true, -1.5, -2, "reached"}, {true, -5, -2, "missed by 150 %"},
	} {
		if got := verdict(test.atLeast, test.got, test.bound); got != test.want {
			t.Errorf("verdict(%v, %v, %v) = %q, want %q", test.atLeast, test.got, test.bound, got, test.want)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{nanos(0), "–"}, {nanos(65.4), "65.4 ns"}, {nanos(1500), "1.50 µs"}, {nanos(2.5e6), "2.50 ms"},
		{perSecond(412_345), "412 k/s"}, {perSecond(8.16e6), "8.16 M/s"}, {perSecond(9784), "9784/s"}, {digits(99.96), "100"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
