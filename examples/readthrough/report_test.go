package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// asked returns a driver that asked for the first n of its places once each.
func askedFor(n int) *driver {
	d := newDriver(nil, make([]Place, n+5))
	for i := range n {
		d.asked[i].Store(true)
		d.done.Add(1)
	}
	return d
}

func TestCheck(t *testing.T) {
	counted := func(gets, loads, queries, errs uint64) []memberStats {
		return []memberStats{
			{Places: cachemesh.Stats{Gets: gets, Loads: loads}, Queries: queries},
			{Places: cachemesh.Stats{LoadErrors: errs}},
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, tc := range []struct {
		name string
		all  []memberStats
		want string // "": no error
	}{
		{"as it should be", counted(10, 10, 10, 0), ""},
		{"a key loaded twice", counted(10, 11, 10, 0), "loader calls: 11"},
		{"a query that no loader made", counted(10, 10, 11, 0), "database queries: 11"},
		{"a lost Get", counted(9, 10, 10, 0), "Gets counted: 9"},
		{"an error", counted(10, 10, 10, 1), "errors: 1"},
	} {
		err := check(newScreen(null), askedFor(10), tc.all)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestStatsTable(t *testing.T) {
	got := statsTable([]memberStats{
		{Name: "a", Places: cachemesh.Stats{Gets: 1000, OwnHits: 1, HotHits: 2, PeerHits: 3, Loads: 4, Deduplicated: 5,
			LoadErrors: 6, PeerErrors: 7, Entries: 8, Bytes: 9 << 10}, Queries: 10},
		{Name: "b", Places: cachemesh.Stats{Gets: 1, OwnHits: 1, HotHits: 1, PeerHits: 1, Loads: 1, Deduplicated: 1,
			LoadErrors: 1, PeerErrors: 1, Entries: 1, Bytes: 1 << 10}, Queries: 1},
	})
	lines := strings.Split(strings.TrimSpace(got), "\n")
	last := strings.Join(strings.Fields(lines[len(lines)-1]), " ")
	if want := "all 1 001 2 3 4 5 6 15 9 10 11"; last != want {
		t.Errorf("sums %q, want %q in\n%s", last, want, got)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1 000", -1000: "-1 000", -100: "-100", 1234567: "1 234 567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                         "0s",
		999:                       "999ns",
		1234:                      "1.23µs",
		567891:                    "568µs",
		29055000:                  "29.1ms",
		12345 * 1e6:               "12.3s",
		999_900 * time.Nanosecond: "1ms",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%d) = %s, want %s", d, got, want)
		}
	}
}
