package dashboard_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestInBrowser has browser/check.mjs look at a mesh of three members in Chromium, and kill one.
// It runs where CACHEMESH_BROWSER is set to the browser's program, and browser/node_modules is
// there. With -short it looks at half of the widths and colour schemes.
func TestInBrowser(t *testing.T) {
	chromium := os.Getenv("CACHEMESH_BROWSER")
	if chromium == "" {
		t.Skip("CACHEMESH_BROWSER does not say which browser")
	}
	nodes, groups := realMesh(t, 3)
	traffic(t, nodes, groups)

	pages := http.NewServeMux()
	pages.Handle("/admin/mesh/", mounted(t, nodes[0]))
	server := httptest.NewServer(pages)
	defer server.Close()
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/kill" {
			nodes[2].Close()
		}
	}))
	defer control.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	args := []string{filepath.Join("browser", "check.mjs"), server.URL + "/admin/mesh/", control.URL, chromium}
	if testing.Short() {
		args = append(args, "short")
	}
	runNode(t, ctx, args...)
}

// runNode runs a script of browser/.
func runNode(t *testing.T, ctx context.Context, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(ctx, "node", args...).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// realMesh returns started nodes on ports of this machine, each with the same groups.
func realMesh(t *testing.T, n int) (nodes []*cachemesh.Node, groups [][]*cachemesh.Group[string]) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		o := cachemesh.Options{Name: fmt.Sprint("shop-", i), ListenAddr: "127.0.0.1:0"}
		if i > 0 {
			o.BootstrapNodes = []string{nodes[0].Addr()}
		}
		node, err := cachemesh.New(o)
		must(err)
		t.Cleanup(func() { node.Close() })
		var all []*cachemesh.Group[string]
		for _, name := range []string{"users", "products", "prices"} {
			g, err := cachemesh.NewGroup(node, name, slowly, cachemesh.GroupOptions[string]{TTL: 3 * time.Second, MaxBytes: 1 << 20})
			must(err)
			all = append(all, g)
		}
		must(node.Start())
		nodes, groups = append(nodes, node), append(groups, all)
	}
	return nodes, groups
}

// slowly is a loader of a database that takes a few milliseconds, and fails now and then.
func slowly(ctx context.Context, key string) (string, error) {
	select {
	case <-time.After(rand.N(8 * time.Millisecond)):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if rand.N(200) == 0 {
		return "", fmt.Errorf("the database refuses %s", key)
	}
	return "value of " + key, nil
}

// traffic reads keys through the members until the test ends, some of them often.
func traffic(t *testing.T, nodes []*cachemesh.Node, groups [][]*cachemesh.Group[string]) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for i := range nodes {
		wg.Go(func() {
			for !stop.Load() {
				key := fmt.Sprint("key-", int(rand.ExpFloat64()*40))
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				groups[i][rand.N(len(groups[i]))].Get(ctx, key)
				cancel()
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	t.Cleanup(func() { stop.Store(true); wg.Wait() })
}
