package report

import (
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// pacedSample returns what Fill makes of paced work.
func pacedSample(cell, system string, near uint64, known bool, p90 time.Duration) Sample {
	r := &work.Result{Ops: 1000, Gets: 990, Near: near, NearKnown: known, Late: 10, Missed: 250, Loads: 20, Elapsed: time.Second}
	for range 990 {
		r.Latency.Record(p90)
	}
	r.Latency.Pack()
	s := Sample{Cell: cell, System: system, Round: 1}
	s.Fill(r, 64)
	return s
}

// services is a document of the mixed work and the paced one.
func services() *Document {
	stale := sample("mixed", strongest, 1, 50)
	stale.Stale = 6500
	return &Document{
		Rounds: 1,
		Samples: Samples{
			sample("mixed", baseline, 1, 100), stale, sample("mixed", "redis-go-redis-cached", 1, 20), sample("mixed", "memcached", 1, 10),
			sample("mixed-far", baseline, 1, 90), sample("mixed-far", strongest, 1, 30),
			pacedSample("paced-500", baseline, 891, true, 4*time.Microsecond), pacedSample("paced-500", strongest, 792, true, 8*time.Microsecond),
			pacedSample("paced-500", "groupcache-go", 0, false, 80*time.Microsecond), pacedSample("paced-500", "redis-rueidis", 0, true, 90*time.Microsecond),
		},
		Systems: []System{
			{Name: baseline, Title: "CacheMesh"}, {Name: strongest, Title: "rueidis, cached", Rival: "cached"},
			{Name: "redis-go-redis-cached", Title: "go-redis, cached", Rival: "cached"}, {Name: "memcached", Title: "memcached", Rival: "server"},
			{Name: "groupcache-go", Title: "groupcache-go", Rival: "mesh"}, {Name: "redis-rueidis", Title: "rueidis", Rival: "server"},
		},
		Suites: []Suite{{Name: "paced-500", Title: "Paced", Cells: []Cell{{Name: "paced-500", Title: "500 a second", Work: "paced"}}}},
	}
}

func TestServicesAreReported(t *testing.T) {
	text := services().markdown(nil, "")
	for _, want := range []string{
		"| CacheMesh | 90.0 % | 4.02 µs | 4.02 µs | 4.02 µs | 20.0 | 0.00 | 1.0 % | 20.0 % |",
		"| rueidis | 0.0 % | 8", // none is known, and another thing than not known
		"| groupcache-go | – | 8",
		"share of Gets answered in own memory of Redis through rueidis with client-side caching | ≥ 1.00× | **1.12×** (1.12–1.12) | reached |",
		"500 a second, p90 of Redis through rueidis with client-side caching | ≤ 1.00× | **0.50×** (0.50–0.50) | reached |",
		"mixed work half a millisecond away, times as fast as Redis through rueidis with client-side caching | ≥ 2.00× | **3.00×**",
		"| this | CacheMesh | 1 | 1 | 0.00 | 90.0 % |",
		"| cached | rueidis, cached | **2.00×** (2.00–2.00) | **3.00×** (3.00–3.00) | 6500 | 80.0 % |",
		"| server | memcached | **10.0×** (10.0–10.0) | – | 0.00 | – | – | – |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	for _, unwanted := range []string{"| cached | go-redis", "| mesh |"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("the report has %q", unwanted)
		}
	}
}
