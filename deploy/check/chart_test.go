package check

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
)

const chart = "../helm/cachemesh"

var update = flag.Bool("update", false, "write ../kubernetes/cachemesh.yaml anew")

// values are what users may ask of the chart.
var values = map[string]map[string]any{
	"defaults":     {},
	"stateful set": {"kind": "StatefulSet", "replicas": 5},
	"all of it": {
		"image":            map[string]any{"repository": "registry.example/cachemesh", "tag": "1.2"},
		"imagePullSecrets": []any{map[string]any{"name": "registry"}},
		"config":           map[string]any{"maxBytes": "1GiB", "ttl": "1h", "groups": []any{map[string]any{"name": "sessions", "maxBytes": "256MiB"}}},
		"resources":        map[string]any{"limits": map[string]any{"memory": "3Gi"}},
		"networkPolicy":    map[string]any{"enabled": true, "clients": []any{map[string]any{"namespaceSelector": map[string]any{}}}},
		"podAnnotations":   map[string]any{"a": "b"},
		"podLabels":        map[string]any{"team": "shop"},
		"nodeSelector":     map[string]any{"disk": "ssd"},
		"tolerations":      []any{map[string]any{"key": "spot", "operator": "Exists"}},
		"affinity":         map[string]any{"nodeAffinity": map[string]any{}},
	},
	"no policy, no limit": {"networkPolicy": map[string]any{"enabled": false}, "resources": map[string]any{"limits": nil}},
}

// render returns the chart's manifests, in the order of their files.
func render(t *testing.T, name string, with map[string]any) (string, error) {
	t.Helper()
	c, err := loader.LoadDir(chart)
	if err != nil {
		t.Fatal(err)
	}
	release := common.ReleaseOptions{Name: name, Namespace: "default", Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(c, with, release, common.DefaultCapabilities)
	if err != nil {
		return "", err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return "", err
	}
	var names []string
	for name := range files {
		if strings.HasSuffix(name, ".yaml") && strings.TrimSpace(files[name]) != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		b.WriteString("---\n" + strings.TrimSpace(files[name]) + "\n")
	}
	return b.String(), nil
}

// TestLint has Helm look at the chart as helm lint --strict does.
func TestLint(t *testing.T) {
	for name, with := range values {
		for _, m := range lint.RunAll(chart, with, "default").Messages {
			t.Errorf("%s: %v", name, m)
		}
	}
}

// TestValuesAreChecked gives the chart values that it must refuse.
func TestValuesAreChecked(t *testing.T) {
	for name, with := range map[string]map[string]any{
		"kind":      {"kind": "DaemonSet"},
		"a typo":    {"replica": 5},
		"replicas":  {"replicas": 0},
		"no secret": {"existingSecret": ""},
		"a limit":   {"resources": map[string]any{"limits": map[string]any{"memory": "1e9"}}},
	} {
		if out, err := render(t, "cachemesh", with); err == nil {
			t.Errorf("%s: no error, but\n%s", name, out)
		}
	}
}

// TestManifests holds the plain manifests against what the chart makes of its defaults.
func TestManifests(t *testing.T) {
	out, err := render(t, "cachemesh", nil)
	if err != nil {
		t.Fatal(err)
	}
	out = strings.ReplaceAll(out, "app.kubernetes.io/managed-by: Helm", "app.kubernetes.io/managed-by: kubectl")
	want := []byte("# What the chart in ../helm makes of its defaults, for those who have no Helm. Made by: go test -update in ../check\n" + strings.TrimPrefix(out, "---\n"))
	path := filepath.Join("..", "kubernetes", "cachemesh.yaml")
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if is, err := os.ReadFile(path); err != nil || !bytes.Equal(is, want) {
		t.Errorf("%s is not what the chart makes: go test -update ./... writes it (%v)", path, err)
	}
}
