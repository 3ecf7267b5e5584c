package member_test

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/httpapi"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/member"
)

// fetch sends a GET, with a password unless that is empty, and returns the answer.
func fetch(t *testing.T, m *member.Member, path, password string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest("GET", "http://"+m.HTTPAddr.String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if password != "" {
		req.SetBasicAuth("anybody", password)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	return resp, string(data)
}

// A member shows Prometheus what it and its Redis clients do.
func TestMetrics(t *testing.T) {
	c := local()
	c.HTTP.Listen = "127.0.0.1:0"
	m := start(t, c)
	client := goredis.NewClient(&goredis.Options{Addr: m.RedisAddr.String()})
	defer client.Close()
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	resp, text := fetch(t, m, "/metrics", "")
	if resp.StatusCode != 200 {
		t.Fatal(resp.Status, text)
	}
	for _, want := range []string{`cachemesh_entries{group="default"} 1`, "cachemesh_redis_clients 1", "cachemesh_node_members 1", "go_goroutines", `cachemesh_build_info{version="test"} 1`} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

// Any member says of all how they see the mesh.
func TestAMemberAnswersForAll(t *testing.T) {
	all := mesh(t, 3, local())
	for i, m := range all {
		var said struct{ Members []httpapi.Member }
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			_, text := fetch(t, m, "/v1/members", "")
			if err := json.Unmarshal([]byte(text), &said); err != nil || len(said.Members) != 3 {
				t.Fatalf("member %d says %s, %v", i, text, err)
			}
			if said.Members[0].Agrees && said.Members[1].Agrees && said.Members[2].Agrees {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("member %d says %s", i, text)
			}
		}
		for _, one := range said.Members {
			if len(one.CannotCall) > 0 {
				t.Errorf("member %d says that %s cannot call %q", i, one.Name, one.CannotCall)
			}
		}
	}
}

var links = regexp.MustCompile(`(?:href|src)="([^"]*)"`)

// Every link of the dashboard leads somewhere, and what is no page of it is a problem of the API.
func TestDashboard(t *testing.T) {
	c := local()
	c.HTTP.Listen = "127.0.0.1:0"
	m := start(t, c)
	seen, wait := map[string]bool{}, []string{"/"}
	for len(wait) > 0 {
		path := wait[0]
		wait = wait[1:]
		resp, text := fetch(t, m, path, "")
		if resp.StatusCode != 200 {
			t.Errorf("%s: %s %s", path, resp.Status, text)
		}
		for _, found := range links.FindAllStringSubmatch(text, -1) {
			to, _, _ := strings.Cut(strings.TrimPrefix(found[1], "./"), "?")
			if to = "/" + to; !strings.HasPrefix(found[1], "data:") && !strings.HasPrefix(found[1], "#") && !strings.HasPrefix(found[1], "?") && !seen[to] {
				seen[to] = true
				if to != "/group" { // which wants the name of one
					wait = append(wait, to)
				}
			}
		}
	}
	for _, path := range []string{"/", "/members", "/groups", "/key", "/events", "/style.css", "/dash.js"} {
		if !seen[path] {
			t.Errorf("nothing leads to %s", path)
		}
	}
	if resp, text := fetch(t, m, "/group?name=default", ""); resp.StatusCode != 200 {
		t.Errorf("a group: %s %s", resp.Status, text)
	}
	if resp, _ := fetch(t, m, "/bogus", ""); resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("no page: %v", resp.Header)
	}
}

// The dashboard is not shown beyond this machine unless that is meant, and a browser says the
// token as a password.
func TestWhoSeesTheDashboard(t *testing.T) {
	c := local()
	c.HTTP.Listen, c.HTTP.Token = "0.0.0.0:0", "sesame"
	if resp, _ := fetch(t, start(t, c), "/members", "sesame"); resp.StatusCode != 401 {
		t.Errorf("beyond this machine: %s", resp.Status)
	}
	c.HTTP.Dashboard = "on"
	m := start(t, c)
	for password, want := range map[string]int{"": 401, "wrong": 401, "sesame": 200} {
		if resp, _ := fetch(t, m, "/members", password); resp.StatusCode != want || want == 401 && !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic") {
			t.Errorf("%q: %s", password, resp.Status)
		}
	}
	if resp, _ := fetch(t, m, "/v1/members", "sesame"); resp.StatusCode != 401 {
		t.Errorf("a password for the API: %s", resp.Status)
	}
	c.HTTP.Listen, c.HTTP.Token, c.HTTP.Dashboard = "127.0.0.1:0", "", "off"
	if resp, _ := fetch(t, start(t, c), "/members", ""); resp.StatusCode != 404 {
		t.Errorf("switched off: %s", resp.Status)
	}
}

// A browser that watches holds up no shutdown.
func TestShutdownWhileABrowserWatches(t *testing.T) {
	c := local()
	c.HTTP.Listen = "127.0.0.1:0"
	m := start(t, c)
	resp, err := http.Get("http://" + m.HTTPAddr.String() + "/stream?page=members")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	begin := time.Now()
	if err := m.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
