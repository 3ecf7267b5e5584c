package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

// A part of a value is not taken for all of it, nor a file without a token for no token.
func TestHalfOfWhatIsRead(t *testing.T) {
	if data, err := readAll(strings.NewReader("12345"), 5); string(data) != "12345" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
	if data, err := readAll(strings.NewReader("123456"), 5); err == nil {
		t.Errorf("%q of six bytes", data)
	}
	for _, file := range []string{os.DevNull, t.TempDir()} {
		if code, _, errOut := run(map[string]string{"CACHEMESH_HTTP_TOKEN_FILE": file}, "", "stats"); code != 2 || !strings.Contains(errOut, "CACHEMESH_HTTP_TOKEN_FILE: ") {
			t.Errorf("%s: %d %s", file, code, errOut)
		}
	}
}

// What is wrong with a file of settings is said in its words.
func TestFilesOfSettingsThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		"meshh: a": "field meshh not found", "- a": "cannot unmarshal a list", "ttl: 5": "the number `5` into a time such as 90s", "redis: {listen: {a: b}}": "a map into string",
	} {
		file := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, errOut := run(nil, "", "config", "check", "--config", file)
		if code != 2 || !strings.Contains(errOut, want) || strings.Contains(errOut, "config.") || strings.Contains(errOut, "!!") {
			t.Errorf("%s: %d %s", text, code, errOut)
		}
	}
}
