package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

var buildDir string // where program builds

var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "cachemesh")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return path, err
})

func TestMain(m *testing.M) {
	var err error
	if buildDir, err = os.MkdirTemp("", "cachemesh-program-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(buildDir)
	os.Exit(code)
}

// A process is the program as a member.
type process struct {
	cmd               *exec.Cmd
	mesh, redis, http string
	took              time.Duration // until it was ready
	said              *bytes.Buffer
	read              chan struct{} // is closed once all it said is read
}

var readyLine = regexp.MustCompile(`this member is ready.* mesh=(\S+) redis=(\S+) http=(\S+)`)

// start starts a member and waits until it is ready. The test ends it.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return startProgram(t, path, args...)
}

// startProgram starts a member of the program at a path.
func startProgram(t *testing.T, path string, args ...string) *process {
	t.Helper()
	p, _ := startChild(t, path, args...)
	return p
}

// startChild is startProgram. endParent does to the process what the end of its parent does: nobody writes
// to it any more, and nobody reads what it says.
func startChild(t *testing.T, path string, args ...string) (p *process, endParent func()) {
	t.Helper()
	p = &process{cmd: exec.Command(path, append([]string{"member"}, args...)...), said: new(bytes.Buffer), read: make(chan struct{})}
	log, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	ready := make(chan []string, 1)
	go func() {
		defer close(p.read)
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			fmt.Fprintln(p.said, lines.Text())
			if found := readyLine.FindStringSubmatch(lines.Text()); found != nil {
				ready <- found
			}
		}
	}()
	select {
	case found := <-ready:
		p.mesh, p.redis, p.http, p.took = found[1], found[2], found[3], time.Since(began)
	case <-p.read:
		t.Fatalf("the member ended:\n%s", p.said)
	case <-time.After(time.Minute):
		t.Fatal("the member is not ready after a minute")
	}
	return p, func() { log.Close(); in.Close() }
}

// end sends a signal, waits, and returns the exit code and what was said.
func (p *process) end(s syscall.Signal) (code int, said string) {
	p.cmd.Process.Signal(s)
	<-p.read
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode(), p.said.String()
}

var anywhere = []string{"--listen", "127.0.0.1:0", "--redis-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"}

// A member that is alone and does nothing takes little: aimed at are 30 MiB, a two-hundredth of a core and 300 ms to
// be ready. Machines that do other things too are given more.
func TestIdleMemberTakesLittle(t *testing.T) {
	p := start(t, anywhere...)
	if p.took > 3*time.Second {
		t.Errorf("ready after %v", p.took)
	}
	time.Sleep(time.Second) // what is measured is time itself
	before := p.processorTime(t)
	const idle = 4 * time.Second
	time.Sleep(idle)
	used := p.processorTime(t) - before
	resident := p.resident(t)
	t.Logf("ready after %v, %.1f MiB resident, %.2f %% of a core", p.took.Round(time.Millisecond), float64(resident)/(1<<20), 100*used.Seconds()/idle.Seconds())
	if resident > 40<<20 {
		t.Errorf("%d bytes are resident, want at most 40 MiB", resident)
	}
	if used > idle/50 {
		t.Errorf("%v of processor time in %v, want at most a fiftieth", used, idle)
	}
}

// proc returns a file of the process in /proc.
func (p *process) proc(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, name))
	if err != nil {
		t.Skip("this system does not say what a process takes: ", err)
	}
	return string(data)
}

func (p *process) resident(t *testing.T) int64 {
	_, rest, _ := strings.Cut(p.proc(t, "status"), "VmRSS:")
	kB, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kB << 10
}

// processorTime returns what the process has used, in hundredths of a second.
func (p *process) processorTime(t *testing.T) time.Duration {
	_, rest, _ := strings.Cut(p.proc(t, "stat"), ") ")
	fields := strings.Fields(rest)
	user, err := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// SIGTERM makes a member hand over what it has and end with 0.
func TestSIGTERMHandsOver(t *testing.T) {
	stays := start(t, anywhere...)
	leaves := start(t, append(anywhere, "--bootstrap", stays.mesh, "--require-join")...)
	leaves.setKeys(t)
	began := time.Now()
	if code, said := leaves.end(syscall.SIGTERM); code != 0 || !strings.Contains(said, "this member has left") {
		t.Fatalf("exit code %d:\n%s", code, said)
	}
	t.Logf("left after %v", time.Since(began).Round(time.Millisecond))
	stays.wantKeys(t)
}

const setKeys = 500

func (p *process) setKeys(t *testing.T) {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: p.redis})
	defer client.Close()
	for i := range setKeys {
		if err := client.Set(t.Context(), fmt.Sprint("k", i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// wantKeys looks for what setKeys has set.
func (p *process) wantKeys(t *testing.T) {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: p.redis})
	defer client.Close()
	for i := range setKeys {
		if v, err := client.Get(t.Context(), fmt.Sprint("k", i)).Int(); v != i || err != nil {
			t.Fatalf("k%d after the other left: %d, %v", i, v, err)
		}
	}
}

// A member that was killed has left nothing behind that keeps the next from its ports, its socket and its name.
func TestKilledMemberStartsAgain(t *testing.T) {
	stays := start(t, anywhere...)
	socket := filepath.Join(t.TempDir(), "redis")
	args := []string{"--name", "again", "--bootstrap", stays.mesh, "--require-join", "--listen", freeAddr(t), "--redis-listen", freeAddr(t), "--http-listen", freeAddr(t), "--redis-socket", socket}
	for i := range 3 {
		p := start(t, args...)
		client := goredis.NewClient(&goredis.Options{Network: "unix", Addr: socket})
		if err := client.Set(t.Context(), fmt.Sprint("k", i), i, 0).Err(); err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
		client.Close()
		p.end(syscall.SIGKILL)
	}
	p := start(t, args...)
	if code, said := p.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d:\n%s", code, said)
	}
	if _, err := os.Stat(socket); err == nil {
		t.Error("a member that left in order leaves its socket")
	}
}

// freeAddr returns an address that nobody has now.
func freeAddr(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
