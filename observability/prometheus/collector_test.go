package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	cmprom "github.com/praveenduddu/cachemesh/observability/prometheus"
)

// startedNode returns a node alone, which lives as long as the test.
func startedNode(t testing.TB) *cachemesh.Node {
	node, err := cachemesh.New(cachemesh.Options{})
	must(t, err)
	t.Cleanup(func() { node.Close() })
	must(t, node.Start())
	return node
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newGroup(t testing.TB, node *cachemesh.Node, name string) *cachemesh.Group[string] {
	g, err := cachemesh.NewGroup(node, name, func(_ context.Context, key string) (string, error) {
		if strings.HasPrefix(key, "bad") {
			return "", errors.New("the database is down")
		}
		return "v", nil
	}, cachemesh.GroupOptions[string]{})
	must(t, err)
	return g
}

// values returns what a registry gathers: series as text, and their values.
func values(t testing.TB, reg prometheus.Gatherer) map[string]float64 {
	families, err := reg.Gather()
	must(t, err)
	all := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += fmt.Sprintf(" %s=%s", l.GetName(), l.GetValue())
			}
			switch {
			case m.Histogram != nil:
				all[name+" count"], all[name+" sum"] = float64(m.Histogram.GetSampleCount()), m.Histogram.GetSampleSum()
			case f.GetType() == dto.MetricType_COUNTER:
				all[name] = m.Counter.GetValue()
			default:
				all[name] = m.Gauge.GetValue()
			}
		}
	}
	return all
}

func want(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		if g, ok := got[name]; !ok || g != v {
			t.Errorf("%s = %v (%t), want %v", name, g, ok, v)
		}
	}
}

// TestWhatIsCountedIsShown: gets by what answered them, on both sides.
func TestWhatIsCountedIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mesh := cachemeshtest.New(t, 2)
		group := cachemeshtest.Group(mesh, "g", func(int) cachemesh.LoaderFunc[string] {
			return func(_ context.Context, key string) (string, error) { return "v", nil }
		}, cachemesh.GroupOptions[string]{})
		reg := prometheus.NewPedanticRegistry()
		for i, n := range mesh.Nodes() { // two nodes in one process
			prometheus.WrapRegistererWith(prometheus.Labels{"member": fmt.Sprint(i)}, reg).MustRegister(cmprom.New(n))
		}
		for i := range 100 {
			for range 3 {
				if _, err := group(0).Get(t.Context(), fmt.Sprint(i)); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := values(t, reg)
		s := group(0).Stats()
		if s.OwnHits == 0 || s.PeerHits+s.HotHits == 0 {
			t.Fatalf("nothing to show: %+v", s)
		}
		want(t, got, map[string]float64{
			"cachemesh_gets_total group=g member=0 result=own":               float64(s.OwnHits),
			"cachemesh_gets_total group=g member=0 result=copy":              float64(s.HotHits),
			"cachemesh_gets_total group=g member=0 result=peer":              float64(s.PeerHits),
			"cachemesh_gets_total group=g member=0 result=miss":              100,
			"cachemesh_loads_total group=g member=0 result=ok":               float64(s.Loads),
			"cachemesh_loads_total group=g member=1 result=ok":               float64(100 - s.Loads),
			"cachemesh_load_duration_seconds group=g member=1 count":         float64(100 - s.Loads),
			"cachemesh_peer_request_duration_seconds group=g member=0 count": float64(s.PeerCalls),
			"cachemesh_peer_requests_total group=g member=0 result=ok":       float64(s.PeerCalls),
			"cachemesh_entries group=g member=0":                             float64(s.Entries),
			"cachemesh_max_bytes group=g member=0":                           64 << 20,
			"cachemesh_node_members member=1":                                2,
			"cachemesh_node_mode member=1 mode=majority":                     1,
			"cachemesh_node_mode member=1 mode=minority":                     0,
			"cachemesh_node_settled member=0":                                1,
		})
	})
}

// TestGroupsComeAndGo: those that are registered later are seen, those that were closed are
// not, and one that follows under its name begins at 0.
func TestGroupsComeAndGo(t *testing.T) {
	node, reg := startedNode(t), prometheus.NewPedanticRegistry()
	reg.MustRegister(cmprom.New(node))
	const misses, failed = "cachemesh_gets_total group=late result=miss", "cachemesh_loads_total group=late result=error"
	if _, ok := values(t, reg)[misses]; ok {
		t.Error("a group that there is not is shown")
	}
	g := newGroup(t, node, "late")
	g.Get(t.Context(), "k")
	g.Get(t.Context(), "k")
	g.Get(t.Context(), "bad")
	want(t, values(t, reg), map[string]float64{misses: 2, failed: 1, "cachemesh_loads_total group=late result=ok": 1,
		"cachemesh_gets_total group=late result=own": 1, "cachemesh_gets_total group= result=miss": 0})
	must(t, g.Close(t.Context()))
	if _, ok := values(t, reg)[misses]; ok {
		t.Error("a group that was closed is shown")
	}
	newGroup(t, node, "late")
	want(t, values(t, reg), map[string]float64{misses: 0, failed: 0})
}

// TestCountersDoNotFall while Gets are under way that will be hits.
func TestCountersDoNotFall(t *testing.T) {
	mesh := cachemeshtest.New(t, 2)
	group := cachemeshtest.Group(mesh, "g", func(int) cachemesh.LoaderFunc[string] {
		return func(context.Context, string) (string, error) { return "v", nil }
	}, cachemesh.GroupOptions[string]{NoHotCopies: true})
	reg := prometheus.NewRegistry()
	reg.MustRegister(cmprom.New(mesh.Node(0)))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ctx.Err() == nil; i++ {
			group(0).Get(t.Context(), fmt.Sprint(i%1000))
		}
	}()
	last := values(t, reg)
	for scrapes := 0; ctx.Err() == nil || scrapes < 20; scrapes++ {
		now := values(t, reg)
		for name, v := range now {
			if (strings.Contains(name, "_total") || strings.HasSuffix(name, "count")) && v < last[name] {
				t.Errorf("%s fell from %v to %v", name, last[name], v)
			}
		}
		last = now
	}
	<-ended
}

// TestHouseRules: what Prometheus' own linters say, and no key in any label.
func TestHouseRules(t *testing.T) {
	node, reg := startedNode(t), prometheus.NewPedanticRegistry()
	reg.MustRegister(cmprom.New(node))
	g := newGroup(t, node, "no\xffUTF-8")
	must(t, g.Set(t.Context(), "secret-key", "v", 0))
	problems, err := testutil.GatherAndLint(reg)
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	labels := make(map[string]bool)
	families, err := reg.Gather()
	must(t, err)
	var text strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				labels[l.GetName()] = true
			}
		}
	}
	if known := map[string]bool{"group": true, "result": true, "cause": true, "kind": true, "direction": true, "mode": true}; !maps.Equal(labels, known) {
		t.Errorf("labels %v, want %v", labels, known)
	}
	if strings.Contains(text.String(), "secret-key") {
		t.Error("a key is shown")
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool here")
	}
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(text.String())
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

// TestScrapeOfManyGroups holds a scrape of 200 groups to 50 ms: the fastest of several, since
// the machine may be busy.
func TestScrapeOfManyGroups(t *testing.T) {
	node, reg := startedNode(t), prometheus.NewRegistry()
	reg.MustRegister(cmprom.New(node))
	for i := range 200 {
		newGroup(t, node, fmt.Sprint("group", i))
	}
	best := time.Hour
	for range 10 {
		began := time.Now()
		if n, err := testutil.GatherAndCount(reg, "cachemesh_entries"); err != nil || n != 201 {
			t.Fatalf("%d groups, %v", n, err)
		}
		best = min(best, time.Since(began))
	}
	t.Logf("a scrape of 200 groups takes %v", best)
	if best > 50*time.Millisecond {
		t.Errorf("a scrape of 200 groups takes %v, want at most 50ms", best)
	}
}

func ExampleNew() {
	node, err := cachemesh.New(cachemesh.Options{})
	if err != nil {
		panic(err)
	}
	defer node.Close()
	reg := prometheus.NewRegistry() // or prometheus.DefaultRegisterer, with promhttp.Handler()
	reg.MustRegister(cmprom.New(node))
	n, err := testutil.GatherAndCount(reg, "cachemesh_node_mode")
	fmt.Println(n, err)
	// Output: 4 <nil>
}
