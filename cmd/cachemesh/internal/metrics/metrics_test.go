package metrics

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
)

// What is shown of the program is as Prometheus wants it.
func TestNames(t *testing.T) {
	h := Handler(cachemeshtest.New(t, 1).Node(0), "v", func() Redis { return Redis{Clients: 1, Accepted: 2, Refused: 3, Commands: 4} }, slog.New(slog.DiscardHandler))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	for _, want := range []string{"cachemesh_redis_clients 1", "cachemesh_redis_accepted_total 2", "cachemesh_redis_refused_total 3", "cachemesh_redis_commands_total 4"} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "cachemesh_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// A scrape of 200 groups takes 50 ms at most, the fastest of several, over HTTP; and no key is in it.
func TestScrapeOfManyGroups(t *testing.T) {
	node := cachemeshtest.New(t, 1).Node(0)
	const groups, secret = 200, "key-of-a-customer"
	for i := range groups {
		g, err := cachemesh.NewGroup[[]byte](node, fmt.Sprint("group-", i), nil, cachemesh.GroupOptions[[]byte]{MaxBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Set(t.Context(), secret, []byte("v"), 0); err != nil {
			t.Fatal(err)
		}
		g.Get(t.Context(), secret)
	}
	server := httptest.NewServer(Handler(node, "v", func() Redis { return Redis{} }, slog.New(slog.DiscardHandler)))
	defer server.Close()
	best, text, most := time.Hour, "", 50*time.Millisecond*slower
	for tries := 0; tries < 20 && best > most; tries++ {
		began := time.Now()
		resp, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp.Status, err)
		}
		best, text = min(best, time.Since(began)), string(data)
	}
	t.Logf("a scrape of %d groups takes %v, %d KB", groups, best.Round(100*time.Microsecond), len(text)/1000)
	if best > most {
		t.Errorf("a scrape of %d groups takes %v, want at most %v", groups, best, most)
	}
	if n := strings.Count(text, "\ncachemesh_entries{group="); n < groups {
		t.Errorf("%d groups are shown", n)
	}
	if strings.Contains(text, secret) {
		t.Error("a key is shown")
	}
}
