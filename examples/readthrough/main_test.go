package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// demoEnv holds arguments as JSON in the environment of a test binary that shall
// be the program itself.
const demoEnv = "CACHEMESH_READTHROUGH_ARGS"

// TestMain lets the test binary be a member and the program too.
func TestMain(m *testing.M) {
	if config := os.Getenv(memberEnv); config != "" {
		os.Exit(runMember(config))
	}
	if encoded := os.Getenv(demoEnv); encoded != "" {
		var args []string
		if err := json.Unmarshal([]byte(encoded), &args); err != nil {
			panic(err)
		}
		os.Exit(run(args, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// program returns a command that runs the program; its temporary files go to tempDir.
func program(t testing.TB, tempDir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), demoEnv+"="+string(encoded), "TMPDIR="+tempDir)
	return cmd
}

func TestUsageErrorsAreOneLine(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-members", "0"}, "-members 0"},
		{[]string{"-members", "17"}, "-members 17"},
		{[]string{"-members", "many"}, "-members"},
		{[]string{"-gets", "-1"}, "-gets -1"},
		{[]string{"-places", "99"}, "-places 99"},
		{[]string{"-kill", "-members", "1"}, "-kill"},
		{[]string{"-no-such-flag"}, "no-such-flag"},
		{[]string{"please"}, `"please"`},
		{[]string{"-dsn", "mysql://127.0.0.1/db"}, "mysql://"},
		{[]string{"-dsn", "postgres://nobody@127.0.0.1:1/none?sslmode=disable"}, "127.0.0.1:1"},
	} {
		var errOut bytes.Buffer
		cmd := program(t, t.TempDir(), tc.args...)
		cmd.Stderr = &errOut
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != exitUsage {
			t.Errorf("%q: exit code %d, want %d", tc.args, got, exitUsage)
		}
		got := errOut.String()
		if strings.Count(got, "\n") != 1 || !strings.Contains(got, tc.want) {
			t.Errorf("%q: want one line that mentions %q, got:\n%s", tc.args, tc.want, got)
		}
	}
}

func TestHelp(t *testing.T) {
	out, err := program(t, t.TempDir(), "-h").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"-members", "-gets", "-places", "-dsn", "-serve", "-kill"} {
		if !strings.Contains(string(out), flag) {
			t.Errorf("help does not mention %s:\n%s", flag, out)
		}
	}
}
