package prometheus_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/praveenduddu/cachemesh"
	cmprom "github.com/praveenduddu/cachemesh/observability/prometheus"
)

const dashboard, alerts = "../../deploy/grafana/cachemesh.json", "../../deploy/prometheus/alerts.yml"

// selector is a metric's name and what may follow it in braces.
var selector = regexp.MustCompile(`\b(cachemesh_\w+)(\{[^}]*\})?`)

// matcher is a label that must have one value.
var matcher = regexp.MustCompile(`(\w+)!?="(\w+)"`)

// TestDeployedNamesExist: every metric, and every value of a label, that the dashboard and the
// alerts name.
func TestDeployedNamesExist(t *testing.T) {
	known := shownNames(t)
	for _, file := range []string{dashboard, alerts} {
		text, err := os.ReadFile(file)
		must(t, err)
		found := selector.FindAllStringSubmatch(strings.ReplaceAll(string(text), `\"`, `"`), -1)
		if len(found) < 15 {
			t.Errorf("%s names %d metrics", file, len(found))
		}
		for _, m := range found {
			if !known[m[1]] {
				t.Errorf("%s names %s, which there is not", file, m[1])
			}
			for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
				if s := m[1] + " " + l[1] + "=" + l[2]; !known[s] {
					t.Errorf("%s names %s, which there is not", file, s)
				}
			}
		}
	}
}

// shownNames returns the names of metrics as Prometheus stores them, and each with the values
// of its labels.
func shownNames(t *testing.T) map[string]bool {
	node, err := cachemesh.New(cachemesh.Options{})
	must(t, err)
	defer node.Close()
	must(t, node.Start())
	reg := prometheus.NewRegistry()
	reg.MustRegister(cmprom.New(node))
	families, err := reg.Gather()
	must(t, err)
	// Nothing was refused yet.
	known := map[string]bool{"cachemesh_node_refused_total": true, "cachemesh_node_bad_frames_total": true}
	for _, f := range families {
		known[f.GetName()] = true
		if f.GetType() == dto.MetricType_HISTOGRAM {
			known[f.GetName()+"_bucket"] = true
		}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				known[f.GetName()+" "+l.GetName()+"="+l.GetValue()] = true
			}
		}
	}
	return known
}

// TestDashboardCanBeRead: it is JSON, every panel has a query, and none is twice at one place.
func TestDashboardCanBeRead(t *testing.T) {
	text, err := os.ReadFile(dashboard)
	must(t, err)
	var d struct {
		Title, UID string
		Panels     []struct {
			ID          int
			Type, Title string
			GridPos     struct{ X, Y, W, H int }
			Targets     []struct{ Expr string }
		}
	}
	must(t, json.Unmarshal(text, &d))
	if d.Title == "" || d.UID == "" || len(d.Panels) < 20 {
		t.Errorf("%q (%q) has %d panels", d.Title, d.UID, len(d.Panels))
	}
	rules := "groups: [{name: panels, rules: [\n"
	ids, places := make(map[int]bool), make(map[[2]int]bool)
	for _, p := range d.Panels {
		if at := [2]int{p.GridPos.X, p.GridPos.Y}; ids[p.ID] || places[at] || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d, %s, is twice, covers another or is outside", p.ID, p.Title)
		} else {
			ids[p.ID], places[at] = true, true
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %s asks nothing", p.Title)
		}
		for _, q := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h").Replace(q.Expr)
			rules += fmt.Sprintf("{record: panel%d, expr: '%s'},\n", p.ID, expr)
		}
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	must(t, os.WriteFile(file, []byte(rules+"]}]\n"), 0o600))
	promtool(t, "check", "rules", "--lint=none", file) // the queries can be parsed
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool here")
	}
	if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %v: %v\n%s", args, err, out)
	}
}

// TestAlerts has Prometheus' own tool check them, and try some on series.
func TestAlerts(t *testing.T) {
	text, err := os.ReadFile(alerts)
	must(t, err)
	n := strings.Count(string(text), "- alert: ")
	for _, field := range []string{"severity: ", "summary: ", "means: ", "do: "} {
		if has := strings.Count(string(text), "  "+field); has != n {
			t.Errorf("%d of %d alerts have %s", has, n, field)
		}
	}
	promtool(t, "check", "rules", alerts)
	promtool(t, "test", "rules", strings.Replace(alerts, ".yml", "_test.yml", 1))
}
