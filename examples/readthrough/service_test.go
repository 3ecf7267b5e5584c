package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh"
)

// alone serves a mesh of one member over a small table.
func alone(t *testing.T) (*origin, *httptest.Server) {
	t.Helper()
	o := filled(t, sqliteDSN(t), fewPlaces(t, 100))
	node, err := cachemesh.New(cachemesh.Options{Name: "solo"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
	s, err := newService("solo", o, node)
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.routes())
	t.Cleanup(server.Close)
	return o, server
}

func TestService(t *testing.T) {
	o, server := alone(t)
	const shanghai = `{"id":1796236,"name":"Shanghai","country":"CN","latitude":31.22222,"longitude":121.45806,"population":22315474,"timezone":"Asia/Shanghai"}`
	for i, step := range []struct {
		method, path, body string
		status             int
		cache              string // the header; "" for none
		want               string // the beginning of the answer
		queries            uint64 // of the database so far
	}{
		{"GET", "/place/1796236", "", 200, "load", shanghai, 1},
		{"GET", "/place/1796236", "", 200, "hit", shanghai, 1},
		{"GET", "/place/01796236", "", 200, "hit", shanghai, 1}, // one place, one key
		{"GET", "/place/7", "", 404, "", "cachemesh: not found", 2},
		{"GET", "/place/x", "", 400, "", "the id", 2},
		{"GET", "/place/-1", "", 400, "", "the id", 2},
		{"PUT", "/place/1796236", `{"id":5,"name":"Shangri-La"}`, 204, "", "", 2},
		{"GET", "/place/1796236", "", 200, "load", `{"id":1796236,"name":"Shangri-La"`, 3},
		{"PUT", "/place/7", "{}", 204, "", "", 3},
		{"GET", "/place/7", "", 200, "load", `{"id":7`, 4},
		{"PUT", "/place/7", "[", 400, "", "body", 4},
		{"PUT", "/place/7", `{"name":"` + strings.Repeat("x", maxBody) + `"}`, 400, "", "body", 4},
		{"DELETE", "/place/7", "", 204, "", "", 4},
		{"GET", "/place/7", "", 404, "", "cachemesh: not found", 5},
		{"DELETE", "/place/7", "", 404, "", "no such place", 5},
		{"GET", "/note/7", "", 404, "", "cachemesh: not found", 5},
		{"PUT", "/note/7", "closed on Mondays", 204, "", "", 5},
		{"GET", "/note/7", "", 200, "", "closed on Mondays", 5},
		{"PUT", "/note/" + strings.Repeat("n", cachemesh.MaxKeyLen+1), "x", 400, "", "cachemesh: invalid key", 5},
		{"GET", "/healthz", "", 200, "", "ok", 5},
		{"GET", "/stats", "", 200, "", `{"name":"solo"`, 5},
		{"POST", "/place/7", "", 405, "", "", 5},
	} {
		req, err := http.NewRequestWithContext(t.Context(), step.method, server.URL+step.path, strings.NewReader(step.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != step.status || resp.Header.Get(headerCache) != step.cache || !strings.HasPrefix(string(body), step.want) {
			t.Errorf("step %d, %s %.40s: %d, %q, %s", i, step.method, step.path, resp.StatusCode, resp.Header.Get(headerCache), body)
		}
		if got := o.asked.Load(); got != step.queries {
			t.Errorf("step %d, %s %.40s: %d queries so far, want %d", i, step.method, step.path, got, step.queries)
		}
	}
}

// A row that is gone already, for whatever reason, must go from the mesh too.
func TestDeleteOfAGoneRowReachesTheMesh(t *testing.T) {
	o, server := alone(t)
	c := newClient("solo", strings.TrimPrefix(server.URL, "http://"))
	defer c.close()
	ctx := context.Background()
	id := fewPlaces(t, 1)[0].ID
	if _, err := c.place(ctx, id); err != nil {
		t.Fatal(err)
	}
	if err := o.remove(ctx, id); err != nil {
		t.Fatal(err)
	}
	if err := c.deletePlace(ctx, id); err != errAbsent {
		t.Errorf("deletion of a row that is gone: %v, want %v", err, errAbsent)
	}
	if _, err := c.place(ctx, id); err != errAbsent {
		t.Errorf("look-up after it: %v, want %v", err, errAbsent)
	}
}
