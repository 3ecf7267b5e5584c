package cli

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test's own program be the members of these tests, and their parents, as processes.
func TestMain(m *testing.M) {
	switch os.Getenv("CLI_TEST_IS") {
	case "cachemesh":
		os.Exit(Run(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
	case "parent":
		beParent()
	}
	os.Exit(m.Run())
}

var alone = []string{"member", "--announce", "--exit-with-stdin", "--listen=127.0.0.1:0", "--redis-listen=127.0.0.1:0", "--http-listen=127.0.0.1:0"}

// program is a process of this test's program.
func program(is string, args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "CLI_TEST_IS="+is, "CACHEMESH_REDIS_PASSWORD=sesame", "GORACE=atexit_sleep_ms=0")
	return c
}

// beParent starts a member that has this process' standard output, and lives until it is killed. The member's
// standard input is a pipe of this process, or its own if it is given any.
func beParent() {
	c := program("cachemesh", alone...)
	c.Stdout = os.Stdout
	if len(os.Args) > 1 {
		c.Stdin = os.Stdin
	} else if _, err := c.StdinPipe(); err != nil {
		panic(err)
	}
	if err := c.Start(); err != nil {
		panic(err)
	}
	c.Wait()
	os.Exit(3)
}

// started starts a process, and returns what it said when its member was ready.
func started(t *testing.T, c *exec.Cmd) (ready readyLine, out *bufio.Reader) {
	t.Helper()
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	out = bufio.NewReader(pipe)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		t.Fatal(line, err)
	}
	return ready, out
}

// inTime fails the test if what f waits for takes more than two seconds.
func inTime(t *testing.T, what string, f func()) {
	t.Helper()
	begin := time.Now()
	f()
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("%s: %v", what, took)
	}
}

func TestReadyLine(t *testing.T) {
	c := program("cachemesh", alone...)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	ready, _ := started(t, c)
	if ready.Event != "ready" || ready.PID != c.Process.Pid || ready.Protocol != 1 || ready.Name == "" || ready.Version == "" {
		t.Errorf("%+v", ready)
	}
	for _, addr := range []string{ready.Mesh, ready.HTTP} {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		nc.Close()
	}
	nc, err := net.Dial("tcp", ready.Redis)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	answers := bufio.NewReader(nc)
	for _, ask := range []struct{ say, want string }{{"ping", "-NOAUTH"}, {"auth sesame", "+OK"}, {"ping", "+PONG"}} {
		io.WriteString(nc, ask.say+"\r\n")
		if got, err := answers.ReadString('\n'); !strings.HasPrefix(got, ask.want) {
			t.Errorf("%s: %q, %v", ask.say, got, err)
		}
	}
	inTime(t, "the end of standard input", func() {
		in.Close()
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// A parent that closes standard input and sends a signal says the same twice: the member leaves in order.
func TestBothWordsOfAParent(t *testing.T) {
	for range 5 {
		c := program("cachemesh", alone...)
		in, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		started(t, c)
		in.Close()
		c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}

// Ctrl-C sends SIGINT to the parent and to its member: the member stays for as long as the parent needs it.
func TestInterruptIsTheParents(t *testing.T) {
	c := program("cachemesh", alone...)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said strings.Builder
	c.Stderr = &said
	_, out := started(t, c)
	if err := syscall.Kill(-c.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	left := make(chan struct{})
	go func() { defer close(left); out.ReadByte() }()
	select {
	case <-left:
		t.Error("it left at its parent's signal")
	case <-time.After(300 * time.Millisecond): // one that leaves takes a few
	}
	inTime(t, "the end of standard input", func() {
		in.Close()
		<-left
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
	if strings.Contains(said.String(), "a signal came") || !strings.Contains(said.String(), "has ended") {
		t.Error(said.String())
	}
}

// However its parent ends, a member does not outlive it: whether it is the only one that has the other end of the
// member's standard input, or not.
func TestMemberEndsWithItsParent(t *testing.T) {
	for range 3 {
		for _, args := range [][]string{nil, {"pass standard input on"}} {
			c := program("parent", args...)
			if len(args) > 0 {
				if _, err := c.StdinPipe(); err != nil {
					t.Fatal(err)
				}
			}
			_, out := started(t, c)
			inTime(t, "the member of a parent that was killed", func() {
				c.Process.Kill()
				if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 { // it ends when nobody has it open
					t.Error(string(rest), err)
				}
			})
		}
	}
}

// The same goes for one that is not ready yet.
func TestParentEndsBeforeTheMemberIsReady(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // nobody there answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c := program("cachemesh", append(alone, "--join-timeout=1m", "--bootstrap="+silent.Addr().String())...)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if nc, err := silent.Accept(); err != nil { // it has begun to join
		t.Fatal(err)
	} else {
		defer nc.Close()
	}
	inTime(t, "the end of standard input", func() {
		in.Close()
		if err := c.Wait(); err == nil || c.ProcessState.ExitCode() != 1 {
			t.Error(err)
		}
	})
}

func TestVersionForPrograms(t *testing.T) {
	code, out, errOut := run(nil, "", "version", "-o", "json")
	var said struct {
		Name, Version, OS, Arch string
		Protocol                int
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil || code != 0 || said.Name != "cachemesh" || said.Version == "" || said.Protocol != 1 || said.OS == "" || said.Arch == "" {
		t.Error(code, out, errOut, err)
	}
	if code, _, errOut := run(nil, "", "version", "-o", "xml"); code != 2 {
		t.Error(code, errOut)
	}
}
