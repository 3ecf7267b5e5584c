package otel_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/praveenduddu/cachemesh"
	cmotel "github.com/praveenduddu/cachemesh/observability/otel"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func startedNode(t *testing.T) *cachemesh.Node {
	node, err := cachemesh.New(cachemesh.Options{})
	must(t, err)
	t.Cleanup(func() { node.Close() })
	must(t, node.Start())
	return node
}

func newGroup(t *testing.T, node *cachemesh.Node, name string) *cachemesh.Group[string] {
	g, err := cachemesh.NewGroup(node, name, func(_ context.Context, key string) (string, error) {
		if key == "bad" {
			return "", errors.New("the database is down")
		}
		return "v", nil
	}, cachemesh.GroupOptions[string]{})
	must(t, err)
	return g
}

// collected returns what a reader collects: series as text, and their values.
func collected(t *testing.T, reader *sdk.ManualReader) map[string]float64 {
	t.Helper()
	var rm metricdata.ResourceMetrics
	must(t, reader.Collect(context.Background(), &rm))
	all := make(map[string]float64)
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				points(all, m.Name, data.DataPoints)
			case metricdata.Sum[float64]:
				points(all, m.Name, data.DataPoints)
			case metricdata.Gauge[float64]:
				points(all, m.Name, data.DataPoints)
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	return all
}

func points[N int64 | float64](to map[string]float64, name string, from []metricdata.DataPoint[N]) {
	for _, p := range from {
		series := name
		for _, a := range p.Attributes.ToSlice() { // sorted
			series += fmt.Sprintf(" %s=%s", strings.TrimPrefix(string(a.Key), "cachemesh."), a.Value.String())
		}
		to[series] = float64(p.Value)
	}
}

func want(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		if g, ok := got[name]; !ok || g != v {
			t.Errorf("%s = %v (%t), want %v", name, g, ok, v)
		}
	}
}

// TestWhatIsCountedIsShown while it is registered, of the groups that there are.
func TestWhatIsCountedIsShown(t *testing.T) {
	node, reader := startedNode(t), sdk.NewManualReader()
	registration, err := cmotel.Register(node, sdk.NewMeterProvider(sdk.WithReader(reader)))
	must(t, err)
	const misses = "cachemesh.gets group=late result=miss"
	if _, ok := collected(t, reader)[misses]; ok {
		t.Error("a group that there is not is shown")
	}
	g := newGroup(t, node, "late")
	for _, key := range []string{"k", "k", "k", "bad"} {
		g.Get(t.Context(), key)
	}
	s := g.Stats()
	want(t, collected(t, reader), map[string]float64{
		misses:                                      2,
		"cachemesh.gets group=late result=own":      2,
		"cachemesh.loads group=late result=ok":      1,
		"cachemesh.loads group=late result=error":   1,
		"cachemesh.load.time group=late":            s.LoadTime.Seconds(),
		"cachemesh.entries group=late":              float64(s.Entries),
		"cachemesh.bytes group=late":                float64(s.Bytes),
		"cachemesh.max_bytes group=late":            64 << 20,
		"cachemesh.evictions cause=room group=late": 0,
		"cachemesh.node.members":                    1,
		"cachemesh.node.settled":                    1,
		"cachemesh.node.mode mode=majority":         1,
		"cachemesh.node.mode mode=minority":         0,
		"cachemesh.node.connections direction=in":   0,
	})
	must(t, g.Close(t.Context()))
	if _, ok := collected(t, reader)[misses]; ok {
		t.Error("a group that was closed is shown")
	}
	must(t, registration.Unregister())
	if got := collected(t, reader); len(got) > 0 {
		t.Errorf("%d series after the registration was undone", len(got))
	}
}

// TestInstrumentsAreThoseOfPrometheus: what one shows the other does, under the same name.
func TestInstrumentsAreThoseOfPrometheus(t *testing.T) {
	theirs := make(map[string]bool)
	text, err := os.ReadFile("../prometheus/metrics.go")
	must(t, err)
	for _, m := range regexp.MustCompile(`(?:desc|ofGroup)\("(\w+)"`).FindAllSubmatch(text, -1) {
		theirs["cachemesh_"+string(m[1])] = true
	}
	if len(theirs) < 40 {
		t.Fatalf("%d metrics found there", len(theirs))
	}
	node, reader := startedNode(t), sdk.NewManualReader()
	_, err = cmotel.Register(node, sdk.NewMeterProvider(sdk.WithReader(reader)))
	must(t, err)
	other := map[string]string{ // asynchronous histograms do not exist; a gauge of seconds has its unit in OpenTelemetry
		"cachemesh_load_time": "cachemesh_load_duration_seconds", "cachemesh_peer_request_time": "cachemesh_peer_request_duration_seconds",
		"cachemesh_node_mode_age": "cachemesh_node_mode_seconds",
	}
	shown := make(map[string]bool)
	for series := range collected(t, reader) {
		name := strings.ReplaceAll(strings.Fields(series)[0], ".", "_")
		if o := other[name]; o != "" {
			name = o
		} else if theirs[name+"_total"] {
			name += "_total"
		}
		if !theirs[name] {
			t.Errorf("Prometheus has no %s", name)
		}
		shown[name] = true
	}
	for name := range theirs {
		if !shown[name] && name != "cachemesh_node_refused_total" && name != "cachemesh_node_bad_frames_total" { // none was
			t.Errorf("%s has no instrument", name)
		}
	}
}
