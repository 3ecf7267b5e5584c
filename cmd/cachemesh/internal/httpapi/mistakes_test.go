package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/httpapi"
)

// What a client asks wrongly is its mistake, is said to be, and is never answered as something else.
func TestMistakesOfClients(t *testing.T) {
	url := serve(t, nil)
	const key, many = "/v1/groups/default/keys/k", "/v1/groups/default:getMany"
	for _, c := range []struct {
		method, path, body string
		headers            []string
		status             int
		allow              string
	}{
		{"PUT", key, "v", []string{"If-Match: *", "If-None-Match: *"}, 400, ""},
		{"POST", many, `{"keys": ["k"]} {"keys": ["l"]}`, nil, 400, ""},
		{"POST", many, "{\"keys\": [\"\xff\"]}", nil, 400, ""},    // not the key U+FFFD
		{"PUT", key, "v", []string{"CacheMesh-Claim: "}, 400, ""}, // a token that somebody lost is not a Set
		{"PUT", key, "v", []string{"If-Match: "}, 400, ""},
		{"PUT", key, "v", []string{"If-None-Match: "}, 400, ""},
		{"PUT", key, "v", []string{"CacheMesh-TTL: "}, 400, ""},
		{"DELETE", key, "", []string{"If-Match: "}, 400, ""},
		{"DELETE", key, "", []string{"If-None-Match: *"}, 400, ""},
		{"DELETE", key, "", []string{"CacheMesh-Claim: c"}, 400, ""},
		{"GET", key + "?claim=1&wait=1%zz", "", nil, 400, ""},
		{"PUT", "/v1/groups/default/keys/a//b", "v", nil, 400, ""}, // not the key b, nor the way there
		{"PUT", "/v1/groups/default/keys//b", "v", nil, 400, ""},
		{"GET", "/v1/groups//keys/b", "", nil, 400, ""},
		{"GET", "/v1/groups/default/keys/x/../b", "", nil, 400, ""},
		{"POST", many, `[]`, nil, 400, ""},
		{"POST", many, ``, nil, 400, ""},
		{"PATCH", key, "", nil, 405, "GET, HEAD, PUT, DELETE"},
		{"OPTIONS", key, "", nil, 405, "GET, HEAD, PUT, DELETE"},
		{"POST", key + "/owner", "", nil, 404, ""}, // a POST there ends a claim
		{"DELETE", "/v1/members", "", nil, 405, "GET, HEAD"},
		{"PUT", "/livez", "", nil, 405, "GET, HEAD"},
		{"GET", "/v1/groups/default/keys/", "", nil, 404, ""},
	} {
		resp, body := ask(t, c.method, url+c.path, c.body, c.headers...)
		if resp.StatusCode != c.status || resp.Header.Get("Allow") != c.allow || !json.Valid([]byte(body)) || strings.Contains(body, "struct") {
			t.Errorf("%s %s %v: %s, Allow: %q, %s, want %d and %q", c.method, c.path, c.headers, resp.Status, resp.Header.Get("Allow"), body, c.status, c.allow)
		}
	}
}

// A version may be one of several, and weak by now, as what stands between may have made it.
func TestVersionsThatAClientHas(t *testing.T) {
	at := serve(t, nil) + "/v1/groups/default/keys/k"
	ask(t, "PUT", at, "v")
	resp, _ := ask(t, "GET", at, "")
	version := resp.Header.Get("ETag")
	for _, has := range []string{version, "W/" + version, `"other", ` + version, "*"} {
		if resp, _ := ask(t, "GET", at, "", "If-None-Match: "+has); resp.StatusCode != 304 {
			t.Errorf("If-None-Match: %s: %s", has, resp.Status)
		}
	}
	if resp, _ := ask(t, "GET", at, "", `If-None-Match: "other", W/"another"`); resp.StatusCode != 200 {
		t.Errorf("with others: %s", resp.Status)
	}
}

// Who has not said the token holds no connection after the answer: there are so many, and those who ask whether the
// member is alive need one.
func TestStrangersHoldNoConnection(t *testing.T) {
	url := serve(t, func(o *httpapi.Options) { o.Token = "sesame" })
	for path, status := range map[string]int{"/v1/members": 401, "/livez": 200, "/readyz": 200, "/openapi.yaml": 200, "//": 400, "/v1/groups/default/keys//b": 400} {
		if resp, _ := ask(t, "GET", url+path, ""); resp.StatusCode != status || !resp.Close {
			t.Errorf("%s: %s, and the connection is kept", path, resp.Status)
		}
	}
	if resp, _ := ask(t, "GET", url+"/v1/members", "", "Authorization: Bearer sesame"); resp.StatusCode != 200 || resp.Close {
		t.Errorf("with the token: %s, and the connection is closed", resp.Status)
	}
}

// What is said before a body comes is enough to know that it is too large: nobody need send it.
func TestBodyThatIsTooLargeIsNotAwaited(t *testing.T) {
	const head = "PUT /v1/groups/default/keys/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n"
	if said := talk(t, serve(t, nil), fmt.Sprintf(head, 1<<20+1)); !strings.HasPrefix(said, "HTTP/1.1 413") || !strings.Contains(said, "1048576 bytes") {
		t.Error(said)
	}
}

// HTTP/1.0 knows no Host: what no browser can send is no trick of another site's page.
func TestRequestWithoutHost(t *testing.T) {
	if said := talk(t, serve(t, nil), "GET /v1/members HTTP/1.0\r\n\r\n"); !strings.HasPrefix(said, "HTTP/1.0 200") {
		t.Error(said)
	}
}

// talk sends what is to be sent as it is, and returns all that comes.
func talk(t *testing.T, url, say string) string {
	t.Helper()
	nc, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(nc, say); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(nc)
	if err != nil {
		t.Errorf("after %q: %v", said, err)
	}
	return string(said)
}
