package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

const (
	largeMembers = 50
	largeGroups  = 200
	largestPage  = 500_000 // bytes
)

// largeMesh returns the dashboard of a node that has 200 groups, and that sees 49 others: fifty nodes would want
// more of a machine than a test should, so who they are and what they say is made up, and changes with each
// look. The node, its groups and what these count are real.
func largeMesh(t *testing.T) *Dashboard {
	node, err := cachemesh.New(cachemesh.Options{ListenAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
	var groups []*cachemesh.Group[string]
	for i := range largeGroups {
		g, err := cachemesh.NewGroup(node, fmt.Sprint("group-", i), func(_ context.Context, key string) (string, error) { return key, nil },
			cachemesh.GroupOptions[string]{MaxBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, g)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	d := &Dashboard{node: node, watch: newWatch()}
	d.ctx, d.cancel = context.WithCancel(t.Context())
	t.Cleanup(func() { d.Close() })
	looks := 0
	look := func() {
		for i, g := range groups {
			g.Get(t.Context(), fmt.Sprint(looks*i))
		}
		s := seenOf(node)
		for i := 1; i < largeMembers; i++ {
			name := fmt.Sprintf("shop-%02d.cache.svc.cluster.local:3000", i)
			s.members = append(s.members, cachemesh.Member{Name: name, Addr: name, Leaving: (looks+i)%40 == 0})
			v := cachemesh.MemberView{Name: name, Agrees: (looks+i)%25 > 0, Age: time.Duration(i*looks%3000) * time.Millisecond}
			if (looks+i)%20 == 0 {
				v.Unreachable = []string{"shop-07.cache.svc.cluster.local:3000"}
			}
			s.views = append(s.views, v)
		}
		s.stats.Members = largeMembers
		d.watch.look(s)
		looks++
	}
	look()
	d.looks.Go(func() {
		for tick := time.NewTicker(500 * time.Millisecond); ; {
			select {
			case <-d.ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				look()
			}
		}
	})
	return d
}

// Pages of a large mesh do not weigh much, and are made in no time.
func TestLargeMesh(t *testing.T) {
	d := largeMesh(t)
	for _, view := range []string{"", "members", "groups", "group?name=group-150", "key", "events"} {
		w := httptest.NewRecorder()
		began := time.Now()
		d.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+view, nil))
		took, size := time.Since(began), w.Body.Len()
		t.Logf("%-22s %3d KB, made in %v", view, size/1000, took.Round(100*time.Microsecond))
		if w.Code != http.StatusOK || size > largestPage {
			t.Errorf("%s: status %d, %d bytes, want at most %d", view, w.Code, size, largestPage)
		}
		if took > time.Second {
			t.Errorf("%s: made in %v", view, took)
		}
	}
}

// In Chromium, too; see TestInBrowser.
func TestLargeMeshInBrowser(t *testing.T) {
	chromium := os.Getenv("CACHEMESH_BROWSER")
	if chromium == "" {
		t.Skip("CACHEMESH_BROWSER does not say which browser")
	}
	server := httptest.NewServer(largeMesh(t))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", filepath.Join("browser", "large.mjs"), server.URL+"/", chromium).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
