package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/claims"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/guesses"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/httpapi"
)

func serve(t *testing.T, change func(*httpapi.Options)) string {
	c := cachemeshtest.New(t, 1)
	group := cachemeshtest.Group[[]byte](c, "default", nil, cachemesh.GroupOptions[[]byte]{})
	all := groups.New(c.Node(0), config.OtherGroups{})
	all.Add("default", group(0))
	pages := cachemeshtest.Group[[]byte](c, "pages", nil, cachemesh.GroupOptions[[]byte]{Cache: true, NotFoundTTL: time.Minute, StaleFor: time.Minute, TTL: time.Minute})
	all.Add("pages", pages(0))
	o := httpapi.Options{Node: c.Node(0), Groups: all, Claims: claims.New(), Metrics: http.NotFoundHandler(), MaxValue: 1 << 20,
		Ready: func() bool { return true }, Version: "test", Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	s := httptest.NewServer(httpapi.NewServer(o).Handler())
	t.Cleanup(s.Close)
	return s.URL
}

// ask sends a request, headers as "name: value", and returns the answer.
func ask(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if req.Header.Set(name, value); name == "Host" {
			req.Host = value
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	return resp, string(data)
}

func TestKeys(t *testing.T) {
	url := serve(t, nil)
	for _, key := range []string{"k", "a%2Fb", "%2F%2F", "%2E%2E", "%2E", "%FF%00", "%3Fx=%26", "a:clear"} {
		at := url + "/v1/groups/default/keys/" + key
		if resp, _ := ask(t, "GET", at, ""); resp.StatusCode != 404 || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: GET of nothing: %s", key, resp.Status)
		}
		if resp, body := ask(t, "PUT", at, "v\x00\xff"+key, "CacheMesh-TTL: 90s"); resp.StatusCode != 204 {
			t.Errorf("%s: PUT: %s %s", key, resp.Status, body)
		}
		resp, body := ask(t, "GET", at, "")
		if resp.StatusCode != 200 || body != "v\x00\xff"+key || !strings.HasPrefix(resp.Header.Get("CacheMesh-TTL"), "1m29") || resp.Header.Get("Age") != "0" {
			t.Errorf("%s: GET: %s %q %v", key, resp.Status, body, resp.Header)
		}
		if head, body := ask(t, "HEAD", at, ""); head.StatusCode != 200 || body != "" || head.ContentLength != int64(3+len(key)) {
			t.Errorf("%s: HEAD: %s %q", key, head.Status, body)
		}
		if resp, _ := ask(t, "DELETE", at, ""); resp.StatusCode != 204 {
			t.Errorf("%s: DELETE: %s", key, resp.Status)
		}
		if resp, _ := ask(t, "GET", at, ""); resp.StatusCode != 404 {
			t.Errorf("%s: GET after DELETE: %s", key, resp.Status)
		}
	}
}

func TestConditions(t *testing.T) {
	at := serve(t, nil) + "/v1/groups/default/keys/k"
	for _, c := range []struct {
		header string
		status int
	}{
		{"If-Match: *", 412}, {"If-None-Match: *", 204}, {"If-None-Match: *", 412}, {"If-Match: *", 204}, {"If-None-Match: x", 400},
		{"If-Match: x", 400}, {"CacheMesh-TTL: x", 400}, {"CacheMesh-TTL: -1s", 400}, {"CacheMesh-TTL: forever", 204},
	} {
		if resp, body := ask(t, "PUT", at, "v", c.header); resp.StatusCode != c.status {
			t.Errorf("%s: %s %s, want %d", c.header, resp.Status, body, c.status)
		}
	}
	resp, _ := ask(t, "GET", at, "")
	version := resp.Header.Get("ETag")
	if resp, body := ask(t, "PUT", at, "w", "If-Match: "+version); resp.StatusCode != 204 {
		t.Errorf("with its version: %s %s", resp.Status, body)
	}
	if resp, _ := ask(t, "PUT", at, "x", "If-Match: "+version); resp.StatusCode != 412 {
		t.Errorf("with a former version: %s", resp.Status)
	}
	resp, _ = ask(t, "GET", at, "")
	if again, body := ask(t, "GET", at, "", "If-None-Match: "+resp.Header.Get("ETag")); again.StatusCode != 304 || body != "" {
		t.Errorf("with the version that it has: %s %s", again.Status, body)
	}
	if again, _ := ask(t, "GET", at, "", "If-None-Match: "+version); again.StatusCode != 200 {
		t.Errorf("with another: %s", again.Status)
	}
	for i, want := range []int{400, 204, 412} {
		if resp, _ := ask(t, "DELETE", at, "", "If-Match: "+[]string{version, "*", "*"}[i]); resp.StatusCode != want {
			t.Errorf("DELETE %d: %s, want %d", i, resp.Status, want)
		}
	}
}

func TestManyClearAndWhatIsNotThere(t *testing.T) {
	url := serve(t, nil)
	ask(t, "PUT", url+"/v1/groups/default/keys/a", "1")
	_, body := ask(t, "POST", url+"/v1/groups/default:getMany", `{"keys": ["a", "b"]}`)
	var many httpapi.Many
	if err := json.Unmarshal([]byte(body), &many); err != nil || len(many.Values) != 1 || string(many.Values["a"]) != "1" {
		t.Errorf("%s, %v", body, err)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/v1/groups/default:getMany", `{"kyes": []}`, 400}, {"POST", "/v1/groups/default:bogus", "", 404}, {"POST", "/v1/groups/none:clear", "", 404},
		{"POST", "/v1/groups/default", "", 404}, {"GET", "/v1/groups/none/keys/k", "", 404}, {"GET", "/bogus", "", 404}, {"GET", "/v1/groups/none", "", 404},
		{"PUT", "/v1/groups/default/keys/large", strings.Repeat("x", 1<<20+1), 413}, {"PUT", "/v1/groups/default/keys/" + strings.Repeat("k", 5000), "", 400},
		{"POST", "/v1/groups/default:clear", "", 204}, {"GET", "/v1/groups/default/keys/a", "", 404}, {"GET", "/livez", "", 200}, {"GET", "/readyz", "", 200},
		{"GET", "/v1/members", "", 200}, {"GET", "/v1/groups", "", 200}, {"GET", "/v1/groups/default", "", 200}, {"GET", "/v1/stats", "", 200},
	} {
		resp, body := ask(t, c.method, url+c.path, c.body)
		if resp.StatusCode != c.status || c.status >= 400 && !json.Valid([]byte(body)) {
			t.Errorf("%s %.60s: %s %s, want %d", c.method, c.path, resp.Status, body, c.status)
		}
	}
}

func TestWhoIsLetIn(t *testing.T) {
	open := serve(t, nil) + "/v1/groups/default/keys/k"
	closed := serve(t, func(o *httpapi.Options) { o.Token = "sesame"; o.Ready = func() bool { return false } })
	for _, c := range []struct {
		url, method, header string
		status              int
	}{
		{open, "PUT", "Sec-Fetch-Site: cross-site", 403}, {open, "PUT", "Origin: http://evil.example", 403}, {open, "PUT", "Host: evil.example", 403}, {open, "PUT", "Host: localhost:1", 204},
		{closed + "/v1/members", "GET", "X: y", 401}, {closed + "/v1/members", "GET", "Authorization: Bearer wrong", 401}, {closed + "/v1/members", "GET", "Authorization: Bearer sesame", 200},
		{closed + "/livez", "GET", "X: y", 200}, {closed + "/readyz", "GET", "X: y", 503},
	} {
		if resp, body := ask(t, c.method, c.url, "", c.header); resp.StatusCode != c.status {
			t.Errorf("%s %s: %s %s, want %d", c.url, c.header, resp.Status, body, c.status)
		}
	}
}

// Tokens are guessed slowly, whatever they are.
func TestTokensAreGuessedSlowly(t *testing.T) {
	url := serve(t, func(o *httpapi.Options) { o.Token = "sesame" }) + "/v1/members"
	looked, began := 0, time.Now()
	for {
		resp, _ := ask(t, "GET", url, "", "Authorization: Bearer wrong")
		if resp.StatusCode == 429 && resp.Header.Get("Retry-After") != "" {
			break
		}
		if looked++; resp.StatusCode != 401 {
			t.Fatal(resp.Status)
		}
	}
	if most := guesses.AtOnce + int(guesses.PerSecond*(time.Since(began).Seconds()+1)); looked < guesses.AtOnce || looked > most {
		t.Errorf("%d tokens were looked at, want %d to %d", looked, guesses.AtOnce, most)
	}
	if resp, _ := ask(t, "GET", url, ""); resp.StatusCode != 401 {
		t.Errorf("no token: %s, want 401", resp.Status)
	}
}

// Bodies that are announced and do not come keep their place for a while, and no more than
// all bodies may have together.
func TestLargeBodiesHaveABoundTogether(t *testing.T) {
	url := serve(t, func(o *httpapi.Options) { o.MaxValue = 200 << 20 }) // two of which are all there may be
	at := url + "/v1/groups/default/keys/k"
	var pipes []*io.PipeWriter
	answers := make(chan int, 3)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for range 3 {
		r, w := io.Pipe()
		pipes = append(pipes, w)
		go func() {
			req, _ := http.NewRequestWithContext(ctx, "PUT", at, r) // of unknown length
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				answers <- 0
				return
			}
			resp.Body.Close()
			answers <- resp.StatusCode
		}()
	}
	if status := <-answers; status != 503 {
		t.Errorf("the third: %d, want 503", status)
	}
	if resp, _ := ask(t, "PUT", at, "small"); resp.StatusCode != 204 {
		t.Errorf("a small one: %s", resp.Status)
	}
	for _, w := range pipes {
		w.Close()
	}
	if a, b := <-answers, <-answers; a != 204 || b != 204 {
		t.Errorf("the others: %d, %d", a, b)
	}
}
