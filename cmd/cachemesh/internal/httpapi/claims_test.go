package httpapi_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Of many clients one is to load, and the others have what it brings.
func TestClaims(t *testing.T) {
	at := serve(t, nil) + "/v1/groups/pages/keys/k"
	var loads, hits atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			switch resp, body := ask(t, "GET", at+"?claim=1&wait=30s", ""); {
			case resp.StatusCode == 204:
				loads.Add(1)
				time.Sleep(20 * time.Millisecond)
				if resp, body := ask(t, "PUT", at, "row", "CacheMesh-Claim: "+resp.Header.Get("CacheMesh-Claim"), "CacheMesh-TTL: 30s"); resp.StatusCode != 204 {
					t.Error(resp.Status, body)
				}
			case resp.StatusCode == 200 && body == "row":
				hits.Add(1)
			default:
				t.Error(resp.Status, body)
			}
		})
	}
	all.Wait()
	if loads.Load() != 1 || hits.Load() != 49 {
		t.Errorf("%d loads, %d hits", loads.Load(), hits.Load())
	}
}

func TestHowClaimsEnd(t *testing.T) {
	url := serve(t, nil)
	at := url + "/v1/groups/pages/keys/"
	want := func(status int, method, path, body string, headers ...string) *http.Response {
		t.Helper()
		resp, text := ask(t, method, at+path, body, headers...)
		if resp.StatusCode != status {
			t.Errorf("%s %s: %s %s, want %d", method, path, resp.Status, text, status)
		}
		return resp
	}
	claim := func(key string) string {
		t.Helper()
		return "CacheMesh-Claim: " + want(204, "GET", key+"?claim=1&hold=50000", "").Header.Get("CacheMesh-Claim")
	}
	token := claim("v")
	want(409, "GET", "v?claim=1", "")
	want(204, "DELETE", "v", "")
	want(409, "PUT", "v", "old", token) // void
	want(410, "PUT", "v", "old", token)
	want(404, "GET", "v", "")
	token = claim("n")
	want(410, "POST", "other/claim:notFound", "", token)
	want(204, "POST", "n/claim:extend?hold=40s", "", token)
	want(400, "POST", "n/claim:extend?hold=x", "", token)
	want(404, "POST", "n/claim:bogus", "", token)
	want(204, "POST", "n/claim:notFound", "", token)
	want(404, "GET", "n?claim=1", "")
	token = claim("r%2F")
	want(204, "POST", "r%2F/claim:release", "", token)
	want(410, "POST", "r%2F/claim:release", "", token)
	token = claim("r%2F")
	failed := make(chan int)
	go func() {
		resp, _ := ask(t, "GET", at+"r%2F?claim=1&wait=30s", "")
		failed <- resp.StatusCode
	}()
	time.Sleep(50 * time.Millisecond) // until it stands in line
	want(413, "POST", "r%2F/claim:fail", string(make([]byte, 5000)), token)
	want(204, "POST", "r%2F/claim:fail", "no row", token)
	if got := <-failed; got != 502 {
		t.Errorf("who waited has %d", got)
	}
	want(204, "PUT", "s", "old", claim("s"), "CacheMesh-TTL: 1ms")
	time.Sleep(10 * time.Millisecond)
	token = claim("s")
	if resp := want(200, "GET", "s?claim=1", ""); resp.Header.Get("CacheMesh-Stale") == "" {
		t.Error("a value past its time does not say so")
	}
	want(400, "PUT", "s", "new", token, "If-Match: *")
	want(204, "PUT", "s", "new", token)
	want(400, "GET", "s?claim=1&wait=2m", "")
	want(400, "GET", "s?claim=1&hold=x", "")
	want(200, "GET", "s?claim=1&wait=1", "")
	if resp, _ := ask(t, "GET", url+"/v1/groups/default/keys/k?claim=1", ""); resp.StatusCode != 400 {
		t.Errorf("a map: %s", resp.Status)
	}
}

// A client that is gone while it waits wins nothing, and holds nobody up.
func TestClaimantsThatAreGone(t *testing.T) {
	at := serve(t, nil) + "/v1/groups/pages/keys/k"
	first, _ := ask(t, "GET", at+"?claim=1", "")
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		req, _ := http.NewRequestWithContext(ctx, "GET", at+"?claim=1&wait=1m", nil)
		if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
			resp.Body.Close()
			t.Error(resp.Status)
		}
	}()
	time.Sleep(50 * time.Millisecond) // until it stands in line
	cancel()
	<-gone
	if resp, body := ask(t, "POST", at+"/claim:release", "", "CacheMesh-Claim: "+first.Header.Get("CacheMesh-Claim")); resp.StatusCode != 204 {
		t.Error(resp.Status, body)
	}
	begin := time.Now()
	resp, body := ask(t, "GET", at+"?claim=1&wait=30s", "")
	if took := time.Since(begin); resp.StatusCode != 204 || took > time.Second {
		t.Errorf("%s %s after %v", resp.Status, body, took)
	}
}
