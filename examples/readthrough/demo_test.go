package main

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallDSN returns a database with few places, so that a whole run is short.
func smallDSN(t testing.TB) string {
	t.Helper()
	dsn := sqliteDSN(t)
	filled(t, dsn, fewPlaces(t, 1000))
	return dsn
}

func TestDemonstration(t *testing.T) {
	dsn := smallDSN(t)
	for range 2 { // the second run finds the table as the first found it
		tempDir := t.TempDir()
		out, err := program(t, tempDir, "-dsn", dsn, "-gets", "1000").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range []string{
			"1 000 different places were asked for; the loader ran 1 000 times and the database answered 1 000 queries.",
			"All 4 000 answers",
			"then: not found",
			`then: "market day on Thursday"`,
		} {
			if !strings.Contains(string(out), want) {
				t.Errorf("the output lacks %q:\n%s", want, out)
			}
		}
		isEmpty(t, tempDir)
	}
}

func isEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range left {
		t.Errorf("%s was left behind", file.Name())
	}
}

func TestCtrlCWhileServing(t *testing.T) {
	tempDir := t.TempDir()
	cmd, members := serving(t, tempDir)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("Ctrl-C ends -serve in order, got %v", err)
	}
	for _, addr := range members { // all members ended before the program did
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			t.Errorf("a member still serves %s", addr)
		}
	}
	isEmpty(t, tempDir)
}

func TestCtrlCWhileMeasuring(t *testing.T) {
	tempDir := t.TempDir()
	cmd := program(t, tempDir, "-gets", "5000000", "-places", "500")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "of 5 000 000 look-ups") {
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != exitInterrupted {
		t.Errorf("exit code %d, want %d", got, exitInterrupted)
	}
	isEmpty(t, tempDir)
}

// A parent that is killed cannot tidy up: the members do.
func TestParentIsKilled(t *testing.T) {
	tempDir := t.TempDir()
	cmd, members := serving(t, tempDir)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 2*stopTime)
	defer cancel()
	eventually(t, ctx, "all members to end", func() bool {
		for _, addr := range members {
			if conn, err := net.Dial("tcp", addr); err == nil {
				conn.Close()
				return false
			}
		}
		return true
	})
	eventually(t, ctx, "the temporary files to go", func() bool {
		left, err := os.ReadDir(tempDir)
		return err == nil && len(left) == 0
	})
}

// serving starts the program with -serve and returns when it has shown all, with
// the addresses of its members.
func serving(t *testing.T, tempDir string) (cmd *exec.Cmd, members []string) {
	t.Helper()
	cmd = program(t, tempDir, "-serve", "-gets", "1000", "-members", "2", "-places", "500")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	curl := regexp.MustCompile(`curl -i http://([0-9.:]+)/place/`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := curl.FindStringSubmatch(lines.Text()); m != nil {
			members = append(members, m[1])
		}
		if strings.Contains(lines.Text(), "/stats") {
			return cmd, members
		}
	}
	t.Fatalf("the program ended early: %v", cmd.Wait())
	return nil, nil
}

// eventually polls until done reports true, as one must with other processes.
func eventually(t *testing.T, ctx context.Context, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
