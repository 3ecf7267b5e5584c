package dashboard_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/dashboard"
)

// load is a loader that fails for keys that begin with "bad".
func load(int) cachemesh.LoaderFunc[string] {
	return func(_ context.Context, key string) (string, error) {
		if strings.HasPrefix(key, "bad") {
			return "", errors.New("the database is down")
		}
		return "value of " + key, nil
	}
}

// mounted returns the dashboard of a node, which ends with the test.
func mounted(t *testing.T, node *cachemesh.Node) *dashboard.Dashboard {
	d := dashboard.Handler(node)
	t.Cleanup(func() { d.Close() })
	return d
}

// get returns the answer to a request.
func get(t *testing.T, h http.Handler, target string, wantStatus int) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	if w.Code != wantStatus {
		t.Errorf("%s: status %d, want %d", target, w.Code, wantStatus)
	}
	return w.Body.String()
}

// A page is a page's JSON.
type page struct {
	Title   string
	Verdict struct{ Level, Text string }
	Tables  []struct {
		ID, Caption string
		Rows        []map[string]any
	}
}

func getJSON(t *testing.T, h http.Handler, target string) (p page) {
	t.Helper()
	if err := json.Unmarshal([]byte(get(t, h, target, http.StatusOK)), &p); err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	return p
}

// rows returns those of a table.
func (p page) rows(t *testing.T, id string) []map[string]any {
	t.Helper()
	for _, table := range p.Tables {
		if table.ID == id {
			return table.Rows
		}
	}
	t.Fatalf("page %s has no table %s", p.Title, id)
	return nil
}

// column returns one column of a table, as text.
func (p page) column(t *testing.T, id, key string) (all []string) {
	t.Helper()
	for _, row := range p.rows(t, id) {
		all = append(all, fmt.Sprint(row[key]))
	}
	return all
}

// fact returns a value of a table of two columns.
func (p page) fact(t *testing.T, id, what string) any {
	t.Helper()
	for _, row := range p.rows(t, id) {
		if row["what"] == what {
			return row["value"]
		}
	}
	t.Fatalf("table %s has no %q", id, what)
	return nil
}

// TestMeshIsShown through a loss and a return: in words, in the tables, as events.
func TestMeshIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mesh := cachemeshtest.New(t, 3)
		d := mounted(t, mesh.Node(0))
		time.Sleep(2 * time.Second)
		p := getJSON(t, d, "/?format=json")
		if p.Verdict.Level != "good" || p.Verdict.Text != "All 3 members agree, and nothing is wrong." || len(p.rows(t, "events")) != 0 {
			t.Errorf("of a mesh in which nothing is wrong: %+v, events %v", p.Verdict, p.rows(t, "events"))
		}
		share := 0.0
		for _, row := range getJSON(t, d, "/members?format=json").rows(t, "members") {
			share += row["share"].(float64)
		}
		if share < 0.999 || share > 1.001 {
			t.Errorf("members have %v of the keys together", share)
		}
		views := getJSON(t, d, "/members?format=json")
		for _, row := range views.rows(t, "views") {
			if row["agrees"] != "yes" || row["cannot_call"] != "" || row["said"].(float64) < 0 {
				t.Errorf("of a member of a mesh in which nothing is wrong: %v", row)
			}
		}
		if by := views.column(t, "views", "by"); len(by) != 3 || by[2] != "member-2" {
			t.Errorf("views of %q", by)
		}
		mesh.Kill(1)
		mesh.Settle()
		time.Sleep(2 * time.Second)
		if states := getJSON(t, d, "/members?format=json&sort=member").column(t, "members", "state"); len(states) != 3 || states[1] != "gone without leaving" {
			t.Errorf("states after a crash: %q", states)
		}
		mesh.Restart(1)
		mesh.Shutdown(2)
		mesh.Settle()
		time.Sleep(2 * time.Second)
		if states := getJSON(t, d, "/members?format=json&sort=member").column(t, "members", "state"); states[1] != "in the mesh" || states[2] != "left in order" {
			t.Errorf("states after a return and a leaving: %q", states)
		}
		said := strings.Join(getJSON(t, d, "/events?format=json").column(t, "events", "text"), "\n")
		for _, want := range []string{"gone without leaving: it crashed", "joined, at ", "left in order", "its 2 members agree, after "} {
			if !strings.Contains(said, want) {
				t.Errorf("no event says %q:\n%s", want, said)
			}
		}
		mesh.Kill(1)
		time.Sleep(10 * time.Second)
		if p := getJSON(t, d, "/?format=json"); p.Verdict.Level != "warning" || !strings.Contains(p.Verdict.Text, "member-1") {
			t.Errorf("of one that has lost the other: %+v", p.Verdict)
		}
	})
}

// TestGroupsAndKeysAreShown: counters, times, and what the owner knows of a key, without a load.
func TestGroupsAndKeysAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mesh := cachemeshtest.New(t, 2)
		const name = `a/b?"<script>alert(1)</script>`
		group := cachemeshtest.Group(mesh, name, load, cachemesh.GroupOptions[string]{TTL: time.Minute})
		d := mounted(t, mesh.Node(0))
		for i := range 100 {
			group(0).Get(t.Context(), fmt.Sprint(i))
			group(0).Get(t.Context(), fmt.Sprint(i))
		}
		group(0).Get(t.Context(), "bad")
		time.Sleep(1500 * time.Millisecond)
		if rows := getJSON(t, d, "/groups?format=json&q=script").rows(t, "groups"); len(rows) != 1 || rows[0]["group"] != name || rows[0]["gets"] != 201.0 {
			t.Errorf("groups: %v", rows)
		}
		s, at := group(0).Stats(), "/group?"+url.Values{"name": {name}}.Encode()
		p := getJSON(t, d, at+"&format=json")
		if got := p.fact(t, "counters", "Loads"); got != float64(s.Loads) || s.Loads == 0 {
			t.Errorf("%v loads, want %d", got, s.Loads)
		}
		if got := p.fact(t, "minute", "Hit ratio").(float64); got < 0.49 || got > 0.5 {
			t.Errorf("hit ratio %v, want about a half", got)
		}
		if rows := p.rows(t, "load-latency"); len(rows) != 1 || rows[0]["calls"] != float64(s.Loads) {
			t.Errorf("loads by time: %v", rows)
		}
		for _, target := range []string{at, "/groups", "/", "/key?group=" + url.QueryEscape(name) + "&key=" + url.QueryEscape("<script>alert(2)")} {
			if html := get(t, d, target, http.StatusOK); strings.Contains(html, "<script>alert") {
				t.Errorf("%s lets a name be code", target)
			}
		}
		ask := func(key string) page {
			return getJSON(t, d, "/key?format=json&group="+url.QueryEscape(name)+"&key="+url.QueryEscape(key))
		}
		m, err := group(1).Meta(t.Context(), "7")
		if p := ask("7"); err != nil || p.Verdict.Level != "good" || p.fact(t, "key", "Version") != m.Version.String() ||
			p.fact(t, "key", "Answered by") != m.Owner || p.fact(t, "key", "TTL that is left") != m.TTL.Seconds() {
			t.Errorf("key 7: %+v, want %+v (%v)", p, m, err)
		}
		if html := get(t, d, "/key?key=7&group="+url.QueryEscape(name), http.StatusOK); strings.Contains(html, "value of 7") {
			t.Error("a value is shown")
		}
		before := group(0).Stats().Loads + group(1).Stats().Loads
		if p := ask("never read"); p.Verdict.Level != "note" || len(p.rows(t, "key")) != 1 {
			t.Errorf("a key that has no value: %+v", p)
		}
		if p := ask(""); p.Verdict.Level != "bad" {
			t.Errorf("no key: %+v", p)
		}
		if after := group(0).Stats().Loads + group(1).Stats().Loads; after != before {
			t.Errorf("%d loads to show keys", after-before)
		}
		get(t, d, "/group?name=other", http.StatusNotFound)
		get(t, d, "/key?group=other&key=k", http.StatusNotFound)
	})
}

// TestEndsWithItsNode: what looks at a node ends when that has closed, or the bubble would not.
func TestEndsWithItsNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mesh := cachemeshtest.New(t, 1)
		d := dashboard.Handler(mesh.Node(0))
		time.Sleep(2 * time.Second)
		mesh.Kill(0)
		time.Sleep(2 * time.Second)
		if p := getJSON(t, d, "/?format=json"); !strings.Contains(p.Verdict.Text, "is closed") {
			t.Errorf("of a node that has closed: %+v", p.Verdict)
		}
	})
}

// TestManners: what it answers to what it should not be asked, and with which headers.
func TestManners(t *testing.T) {
	node, err := cachemesh.New(cachemesh.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	d := mounted(t, node)
	for _, name := range []string{"", "members", "groups", "group?name=", "key", "events", "style.css", "dash.js"} {
		for _, prefix := range []string{"/", "/some/where/"} {
			get(t, d, prefix+name, http.StatusOK)
		}
	}
	if p := getJSON(t, d, "/?format=json"); !strings.Contains(p.Verdict.Text, "has not started") {
		t.Errorf("of a node that was not started: %+v", p.Verdict)
	}
	if p := getJSON(t, d, "/key?format=json&group=&key=k"); p.Verdict.Level != "bad" {
		t.Errorf("of a key of one: %+v", p.Verdict)
	}
	get(t, d, "/other", http.StatusNotFound)
	get(t, d, "/?format=xml", http.StatusBadRequest)
	get(t, d, "/stream?page=other", http.StatusNotFound)
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d", w.Code)
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	if html := get(t, d, "/", http.StatusOK); strings.Contains(html, "style=") || strings.Contains(html, `="/`) || strings.Contains(html, "//") {
		t.Error("a page has a style of its own, or links beyond its prefix")
	}
}

// TestStream sends a page's part again when something has happened, and ends with the node's
// dashboard.
func TestStream(t *testing.T) {
	mesh := cachemeshtest.New(t, 1)
	d := mounted(t, mesh.Node(0))
	server := httptest.NewServer(http.StripPrefix("/mesh", d))
	defer server.Close()
	resp, err := http.Get(server.URL + "/mesh/stream?page=&every=60")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("a stream is %s", got)
	}
	lines := bufio.NewScanner(resp.Body)
	await := func(part string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), part) {
				return
			}
		}
		t.Fatalf("the stream ended (%v) without %q", lines.Err(), part)
	}
	await("This member is alone")
	mesh.Add() // is seen at once, not after a minute
	await("All 2 members agree")
	d.Close()
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the stream ended with %v", err)
	}
	get(t, d, "/", http.StatusOK)
}
