package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

const root = "../.."

// program builds the program as the Dockerfile does, and returns its path.
func program(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	run := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .*) -o /cachemesh (\S+)$`).FindSubmatch(b)
	if run == nil {
		t.Fatal("the Dockerfile builds no program")
	}
	path := filepath.Join(t.TempDir(), "cachemesh")
	cmd := exec.Command("sh", "-c", string(run[1])+" -o "+path+" "+string(run[2]))
	cmd.Dir = root
	cmd.Env = without(os.Environ(), "GOWORK") // as in the root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func without(env []string, name string) (rest []string) {
	for _, e := range env {
		if !strings.HasPrefix(e, name+"=") {
			rest = append(rest, e)
		}
	}
	return rest
}

// TestProgramTakesSettings has the program check the settings that it gets in each manifest:
// its arguments, environment, configuration and secrets.
func TestProgramTakesSettings(t *testing.T) {
	path := program(t)
	b, err := exec.Command(path, "member", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	help := string(b)
	for name, manifests := range everything(t) {
		pods, files := podSpecs(decode(t, manifests))
		found := false
		for _, c := range containers(pods) {
			if len(c.Args) == 0 || c.Args[0] != "member" {
				continue
			}
			found = true
			for _, e := range c.Env {
				setting, ours := strings.CutPrefix(e.Name, "CACHEMESH_")
				if flag := "--" + strings.ToLower(strings.ReplaceAll(setting, "_", "-")) + " "; ours && !strings.Contains(help, flag) {
					t.Errorf("%s: the program has no setting %s", name, e.Name)
				}
			}
			if out, err := checkSettings(t, path, c, files); err != nil {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
		if !found {
			t.Errorf("%s: no container is a member", name)
		}
	}
}

// checkSettings runs "config check" with what a container has.
func checkSettings(t *testing.T, path string, c corev1.Container, files map[string]string) (out string, err error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)
	}
	here := func(s string) string {
		s = strings.ReplaceAll(s, "$(POD_IP)", "10.0.0.7")
		s = strings.ReplaceAll(s, "/etc/cachemesh/", dir+"/")
		return strings.ReplaceAll(s, "/run/secrets/cachemesh/", dir+"/")
	}
	for _, name := range []string{"secret", "redis-password", "http-token"} {
		os.WriteFile(filepath.Join(dir, name), []byte("sixteen bytes or more"), 0o600)
	}
	args := []string{"config", "check"}
	for _, a := range c.Args[1:] {
		args = append(args, here(a))
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for _, e := range c.Env {
		if strings.HasPrefix(e.Name, "CACHEMESH_") {
			value := here(e.Value)
			if e.ValueFrom != nil {
				value = "from-the-pod"
			}
			cmd.Env = append(cmd.Env, e.Name+"="+value)
		}
	}
	b, err := cmd.CombinedOutput()
	if err == nil && !strings.Contains(string(b), "bootstrap:\n") {
		t.Errorf("no bootstrap nodes in\n%s", b)
	}
	return string(b), err
}

// TestUnit has systemd read the unit, and the program the settings that it gives.
func TestUnit(t *testing.T) {
	b, err := os.ReadFile("../systemd/cachemesh.service")
	if err != nil {
		t.Fatal(err)
	}
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here")
	}
	anything, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "cachemesh.service")
	os.WriteFile(unit, []byte(strings.ReplaceAll(string(b), "/usr/local/bin/cachemesh", anything)), 0o644)
	if out, err := exec.Command(tool, "verify", "--man=no", unit).CombinedOutput(); err != nil || len(strings.TrimSpace(string(out))) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
