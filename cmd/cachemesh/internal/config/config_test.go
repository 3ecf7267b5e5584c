package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func load(t *testing.T, yaml string, env map[string]string, args ...string) (Config, error) {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(flags)
	if yaml != "" {
		args = append(args, "--config", write(t, yaml))
	}
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(flags, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFlagsBeforeEnvironmentBeforeFileBeforeDefaults(t *testing.T) {
	yaml := "name: file\nmesh: file\nmaxBytes: 1MiB\nredis: {group: file, maxClients: 7}\ngroups: [{name: g, ttl: 1m, maxBytes: 2MiB}]\n"
	env := map[string]string{"CACHEMESH_NAME": "env", "CACHEMESH_MESH": "env", "CACHEMESH_BOOTSTRAP": "a:1, b:2", "CACHEMESH_PORT": "tcp://10.0.0.1:80"}
	c, err := load(t, yaml, env, "--name=flag", "--redis-open", "--bootstrap=c:3", "--bootstrap=d:4,e:5")
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "flag" || c.Mesh != "env" || c.Redis.Group != "file" || c.Redis.MaxClients != 7 || c.MaxBytes != 1<<20 || !c.Redis.Open || c.JoinTimeout != 5*time.Second {
		t.Errorf("%+v", c)
	}
	if got := strings.Join(c.Bootstrap, " "); got != "c:3 d:4 e:5" {
		t.Errorf("bootstrap: %s", got)
	}
	if len(c.Groups) != 1 || c.Groups[0] != (Group{Name: "g", TTL: time.Minute, MaxBytes: 2 << 20}) {
		t.Errorf("groups: %+v", c.Groups)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	file := write(t, "0123456789abcdef\n")
	for name, set := range map[string]func() (Config, error){
		"flag":        func() (Config, error) { return load(t, "", nil, "--secret-file", file) },
		"environment": func() (Config, error) { return load(t, "", map[string]string{"CACHEMESH_SECRET_FILE": file}) },
		"file":        func() (Config, error) { return load(t, "secretFile: "+file, nil) },
		"environment over file": func() (Config, error) {
			return load(t, "secretFile: /none", map[string]string{"CACHEMESH_SECRET": "0123456789abcdef"})
		},
		"flag over environment": func() (Config, error) {
			return load(t, "", map[string]string{"CACHEMESH_SECRET": "other"}, "--secret-file", file)
		},
	} {
		c, err := set()
		if err != nil || c.Secret != "0123456789abcdef" {
			t.Errorf("%s: %q, %v", name, c.Secret, err)
		}
		if shown := c.WithoutSecrets(); shown.Secret != "(set)" || c.Secret == "(set)" {
			t.Errorf("%s: shown as %q", name, shown.Secret)
		}
	}
}

func TestWhatCannotBeUsed(t *testing.T) {
	for want, set := range map[string]func() (Config, error){
		"field nane not found":                  func() (Config, error) { return load(t, "nane: x", nil) },
		"more than one document":                func() (Config, error) { return load(t, "name: x\n---\nname: y", nil) },
		"is no size":                            func() (Config, error) { return load(t, "maxBytes: much", nil) },
		"CACHEMESH_TTL":                         func() (Config, error) { return load(t, "", map[string]string{"CACHEMESH_TTL": "x"}) },
		"16 or more":                            func() (Config, error) { return load(t, "secret: short", nil) },
		"is empty":                              func() (Config, error) { return load(t, "", nil, "--secret-file", write(t, "\n")) },
		"given twice":                           func() (Config, error) { return load(t, "secret: a\nsecretFile: b", nil) },
		"redis-listen: :6379 can be reached":    func() (Config, error) { return load(t, "", nil, "--redis-listen=:6379") },
		"http-listen: 0.0.0.0:1 can be":         func() (Config, error) { return load(t, "", nil, "--http-listen=0.0.0.0:1") },
		"is there twice":                        func() (Config, error) { return load(t, "groups: [{name: default}]", nil) },
		"is neither map nor cache":              func() (Config, error) { return load(t, "groups: [{name: g, kind: list}]", nil) },
		"replicas are for those of kind map":    func() (Config, error) { return load(t, "groups: [{name: g, kind: cache, replicas: 2}]", nil) },
		"replicas: 9 is not":                    func() (Config, error) { return load(t, "", nil, "--replicas=9") },
		"are for those of kind cache":           func() (Config, error) { return load(t, "", nil, "--stale-for=1s") },
		"staleFor needs ttl":                    func() (Config, error) { return load(t, "otherGroups: {kind: cache, staleFor: 1s}", nil) },
		"other-groups-most: 0 is":               func() (Config, error) { return load(t, "", nil, "--other-groups-most=0") },
		"has a colon":                           func() (Config, error) { return load(t, "groups: [{name: 'a:b'}]", nil, "--redis-prefixes") },
		"neither on, off nor auto":              func() (Config, error) { return load(t, "", nil, "--dashboard=x") },
		"has no name":                           func() (Config, error) { return load(t, "groups: [{ttl: 1s}]", nil) },
		"neither text nor json":                 func() (Config, error) { return load(t, "", nil, "--log-format=xml") },
		"redis-cert and redis-key go together":  func() (Config, error) { return load(t, "", nil, "--redis-cert=x") },
		"tls-server-name need tls-cert":         func() (Config, error) { return load(t, "tls: {ca: x}", nil) },
		"redis-listen: \"6379\" is not":         func() (Config, error) { return load(t, "", nil, "--redis-listen=6379") },
		"advertise: \":3000\" cannot be called": func() (Config, error) { return load(t, "advertise: ':3000'", nil) },
		"bootstrap: \"cache\" is not":           func() (Config, error) { return load(t, "bootstrap: ['a:1', cache]", nil) },
		"the port is not a number":              func() (Config, error) { return load(t, "http: {listen: '127.0.0.1:99999'}", nil) },
		"no such file":                          func() (Config, error) { return load(t, "", nil, "--config=/none") },
	} {
		if _, err := set(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, open := range []string{"--redis-listen=[::1]:6379", "--redis-listen=off", "--redis-listen=localhost:1"} {
		if _, err := load(t, "", nil, open); err != nil {
			t.Errorf("%s: %v", open, err)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "12": 12, "64MiB": 64 << 20, "64 mb": 64e6, "2g": 2 << 30, "1KiB": 1024, "7b": 7} {
		got, err := ParseSize(text)
		if err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
		if again, err := ParseSize(got.String()); err != nil || again != want {
			t.Errorf("%s as %s: %d, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "x", "-1", "1TiB", "MiB", "9999999999GiB"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}
