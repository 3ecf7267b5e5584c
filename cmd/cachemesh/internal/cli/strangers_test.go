package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What answers may be no member, or be one that says half of it: the commands say so, and take it for nothing else.
func TestWhatAnswersIsNoMember(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"a page": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>welcome</html>") },
		"half": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"na`)
		},
		"nothing": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"slow":    func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"orders": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			io.WriteString(w, `{"detail": "\u001b[2Jowned"}`)
		},
	}
	for name, answer := range answers {
		s := httptest.NewServer(answer)
		env := map[string]string{"CACHEMESH_SERVER": strings.Replace(s.URL, "http://", "http://user:sesame@", 1)}
		timeout := "10s"
		if name == "slow" {
			timeout = "20ms"
		}
		for _, command := range []string{"health", "health -o json", "ttl k", "stats", "stats -o json", "members", "groups -o json", "owner k", "top -n 1"} {
			code, out, errOut := run(env, "", strings.Fields(command+" --timeout "+timeout)...)
			if code != 1 || out != "" || strings.ContainsRune(errOut, '\x1b') || strings.Contains(errOut, "sesame") || strings.Contains(errOut, "json.") || strings.Contains(errOut, "context") {
				t.Errorf("%s, %s: %d %q %q", name, command, code, out, errOut)
			}
		}
		s.Close()
	}
}

// Names that there cannot be are mistakes of who asks, and no way to another key.
func TestNamesThatCannotBe(t *testing.T) {
	asked := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.EscapedPath()
		w.WriteHeader(http.StatusNoContent)
	}))
	defer s.Close()
	env := map[string]string{"CACHEMESH_SERVER": s.URL}
	for _, args := range [][]string{{"get", ""}, {"set", "", "v"}, {"del", ""}, {"get", "k", "--group", ""}, {"get", "k", "--timeout", "0"}, {"get", "k", "--timeout", "-1s"}} {
		if code, _, errOut := run(env, "", args...); code != 2 || len(asked) > 0 {
			t.Errorf("%q: %d %s", args, code, errOut)
		}
	}
	if code, _, errOut := run(env, "", "set", "..", "v", "--group", ".."); code != 0 {
		t.Error(errOut)
	}
	if path := <-asked; path != "/v1/groups/%2E%2E/keys/%2E%2E" {
		t.Error(path)
	}
}
