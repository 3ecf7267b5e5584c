package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/member"
)

// run runs a command and returns its code and output.
func run(env map[string]string, in string, args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = Run(args, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, strings.NewReader(in), &o, &e)
	return code, o.String(), e.String()
}

func local() config.Config {
	c := config.Default()
	c.Listen, c.Redis.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	return c
}

func TestCommandsAgainstAMember(t *testing.T) {
	c := local()
	c.HTTP.Token = "sesame"
	c.Groups = []config.Group{{Name: "other", TTL: time.Minute}}
	m, err := member.Start(c, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	env := map[string]string{"CACHEMESH_SERVER": "http://" + m.HTTPAddr.String(), "CACHEMESH_HTTP_TOKEN": "sesame"}
	for _, c := range []struct {
		args, in string
		code     int
		out      string // that it begins with
	}{
		{"get k", "", 1, ""}, {"set k v", "", 0, ""}, {"get k", "", 0, "v\n"}, {"ttl k", "", 0, "forever\n"}, {"set k w --absent", "", 1, ""},
		{"set ../../x -", "", 0, ""}, {"get ../../x", "", 0, "-\n"}, {"set .. up", "", 0, ""}, {"get ..", "", 0, "up\n"},
		{"set in", "from in", 0, ""}, {"get in", "", 0, "from in\n"}, {"set t v -g other", "", 0, ""}, {"ttl t -g other", "", 0, "59."}, {"get t", "", 1, ""},
		{"ttl none", "", 1, ""}, {"del k in", "", 0, ""}, {"get k", "", 1, ""}, {"get t -g none", "", 1, ""},
		{"members", "", 0, "NAME"}, {"members -o json", "", 0, "{\n"}, {"groups", "", 0, "NAME"}, {"groups -o json", "", 0, "{\n"}, {"stats", "", 0, "name "}, {"stats -o json", "", 0, "{\n"},
		{"owner k", "", 0, "owner "}, {"owner t -g other -o json", "", 0, "{\n  \"group\": \"other\""}, {"owner k -g none", "", 1, ""}, {"owner", "", 2, ""},
		{"set j v -o json", "", 0, "{\n  \"key\": \"j\""}, {"del j -o json", "", 0, "{\n  \"deleted\": ["},
		{"health", "", 0, "ready\n"}, {"health -o json", "", 0, "{\n"}, {"get .. -o json", "", 0, "{\n  \"key\": \"..\""}, {"version", "", 0, "cachemesh "},
		{"get", "", 2, ""}, {"get k -o xml", "", 2, ""}, {"bogus", "", 2, ""}, {"get k --bogus", "", 2, ""}, {"get k -s bogus", "", 2, ""}, {"health -s http://127.0.0.1:1", "", 1, ""},
	} {
		code, out, errOut := run(env, c.in, strings.Fields(c.args)...)
		if code != c.code || !strings.HasPrefix(out, c.out) || (code != 0) != (errOut != "") {
			t.Errorf("%s: %d %q %q, want %d %q", c.args, code, out, errOut, c.code, c.out)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	code, out, errOut := run(map[string]string{"CACHEMESH_SECRET": "0123456789abcdef"}, "", "config", "check", "--name", "a")
	if code != 0 || !strings.Contains(out, "name: a\n") || !strings.Contains(out, "secret: (set)\n") || strings.Contains(out, "0123456789") {
		t.Errorf("%d %s %s", code, out, errOut)
	}
	// What it prints can be read, but for secrets.
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(out, "(set)", `"0123456789abcdef"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := run(nil, "", "config", "check", "--config", file); code != 0 {
		t.Errorf("%d %s", code, errOut)
	}
	for _, args := range [][]string{{"config", "check", "--redis-listen=:1"}, {"config", "check", "--ttl=x"}, {"member", "--log-level=loud"}, {"config", "check", "x"}} {
		if code, _, errOut := run(nil, "", args...); code != 2 || errOut == "" {
			t.Errorf("%v: %d %s", args, code, errOut)
		}
	}
}

// A member that is told to stop leaves in order, and its values are with the others then.
func TestSignalHandsOver(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	stays, err := member.Start(local(), "test", log)
	if err != nil {
		t.Fatal(err)
	}
	defer stays.Close()
	c := local()
	c.Bootstrap = []string{stays.Node.Addr()}
	c.RequireJoin = true
	c.Redis.Socket = filepath.Join(t.TempDir(), "redis")
	signals := make(chan os.Signal, 1)
	ended := make(chan error, 1)
	var started bytes.Buffer
	c.HTTP.Listen = "off"
	go func() { ended <- runMember(c, slog.New(slog.NewTextHandler(&started, nil)), signals, parent{}) }()
	for len(stays.Node.Members()) < 2 {
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(time.Millisecond): // until it has joined
		}
	}
	env := map[string]string{"CACHEMESH_SERVER": "http://" + stays.HTTPAddr.String()}
	for i := range 100 {
		if code, _, errOut := run(env, "", "set", fmt.Sprint("k", i), "v"); code != 0 {
			t.Fatal(errOut)
		}
	}
	signals <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Fatal(err, started.String())
	}
	for i := range 100 {
		if code, out, errOut := run(env, "", "get", fmt.Sprint("k", i)); code != 0 || out != "v\n" {
			t.Fatalf("k%d: %d %q %s", i, code, out, errOut)
		}
	}
	if _, err := os.Stat(c.Redis.Socket); err == nil {
		t.Error("the socket is left behind")
	}
}

func TestPortsThatAreTaken(t *testing.T) {
	m, err := member.Start(local(), "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for flag, addr := range map[string]string{"--redis-listen": m.RedisAddr.String(), "--http-listen": m.HTTPAddr.String(), "--listen": m.Node.Addr()} {
		args := append([]string{"member", "--listen=127.0.0.1:0", "--redis-listen=off", "--http-listen=off"}, flag+"="+addr)
		if code, _, errOut := run(nil, "", args...); code != 1 || !strings.Contains(errOut, "in use") {
			t.Errorf("%s: %d %s", flag, code, errOut)
		}
	}
}

// What is shown of a member that is asked is what it was asked.
func TestBenchAndTop(t *testing.T) {
	c := local()
	c.Redis.Password = "sesame"
	m, err := member.Start(c, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	env := map[string]string{"CACHEMESH_SERVER": "http://" + m.HTTPAddr.String(), "CACHEMESH_REDIS_PASSWORD": "sesame"}
	bench := []string{"bench", "--redis", m.RedisAddr.String(), "-c", "3", "-k", "10", "-o", "json"}
	for _, more := range [][]string{{"-n", "1000", "--reads", "0.5"}, {"-n", "1001", "-P", "16", "--reads", "0.5", "-d", "5000"}} {
		code, out, errOut := run(env, "", append(bench, more...)...)
		var said struct {
			Reads, Writes measured
			Hits, Errors  int
		}
		if err := json.Unmarshal([]byte(out), &said); err != nil || code != 0 {
			t.Fatal(code, out, errOut, err)
		}
		want := 1000
		if len(more) > 4 {
			want = 1001
		}
		if said.Reads.Requests+said.Writes.Requests != want || said.Hits > said.Reads.Requests || said.Hits == 0 || said.Errors != 0 || said.Reads.P50 <= 0 || said.Reads.P50 > said.Reads.Most {
			t.Errorf("%+v", said)
		}
	}
	if code, out, errOut := run(env, "", append(bench, "--for", "50ms", "-o", "table")...); code != 0 || !strings.Contains(out, "PER SECOND") || !strings.Contains(out, " 0 errors") {
		t.Error(code, out, errOut)
	}
	for _, wrong := range [][]string{{"-c", "0"}, {"-o", "xml"}, {"x"}} {
		if code, _, errOut := run(env, "", append(bench, wrong...)...); code != 2 || errOut == "" {
			t.Errorf("%v: %d %s", wrong, code, errOut)
		}
	}
	env["CACHEMESH_REDIS_PASSWORD"] = "wrong"
	if code, _, errOut := run(env, "", bench...); code != 1 || !strings.Contains(errOut, "WRONGPASS") {
		t.Error(code, errOut)
	}
	code, out, errOut := run(env, "", "top", "-n", "2", "--every", "100ms")
	if code != 0 || strings.Count(out, "1 members, they agree") != 2 || strings.Count(out, "default  ") != 2 || strings.Count(out, "this one") != 2 || strings.Contains(out, "\x1b") {
		t.Error(code, out, errOut)
	}
	code, out, _ = run(env, "", "top", "-n", "1", "-o", "json")
	var look seen
	if err := json.Unmarshal([]byte(out), &look); code != 0 || err != nil || len(look.Groups) != 1 || look.Groups[0].Entries != 10 || len(look.Members) != 1 {
		t.Error(code, out, err)
	}
	if code, _, _ := run(env, "", "top", "--every", "1ms"); code != 2 {
		t.Error(code)
	}
}
