package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	largeGroups = 200
	heldKeys    = 100 // by all members, so that each has a session with each
	idleFor     = 20 * time.Second
	mostIdle    = 0.03 // of a core, for each of fifty; aimed at is 0.005, which three have on a machine that does nothing else
)

// A large mesh, all of whose members are processes: what each takes while nothing is asked of it, and the dashboard
// of one in Chromium, in which another is killed. It runs where CACHEMESH_MEMBERS says how many there are (make
// large-mesh has 50), and looks in the browser as TestDashboardInBrowser does.
func TestLargeMesh(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("CACHEMESH_MEMBERS"))
	if err != nil {
		t.Skip("CACHEMESH_MEMBERS does not say how many members there are")
	}
	settings := filepath.Join(t.TempDir(), "large.yaml")
	groups := "groups:\n"
	for i := range largeGroups {
		groups += fmt.Sprintf("  - {name: group-%d, maxBytes: 1MiB}\n", i)
	}
	if err := os.WriteFile(settings, []byte(groups), 0o600); err != nil {
		t.Fatal(err)
	}
	var all []*process
	for _, size := range slices.Compact([]int{min(3, n), min(10, n), n}) {
		began := time.Now()
		all = grow(t, all, size, "--config", settings)
		t.Logf("%d members agree %v after the first of the new ones was started", size, time.Since(began).Round(time.Millisecond))
		idle(t, all, "without copies")
		readAll(t, all)
		idle(t, all, fmt.Sprintf("with copies of %d keys", heldKeys))
	}
	lookAtLarge(t, all)
}

// grow starts members until there are so many, and waits until all of them agree.
func grow(t *testing.T, all []*process, size int, args ...string) []*process {
	t.Helper()
	for len(all) < size {
		of := append(slices.Concat(anywhere, args), "--name", fmt.Sprintf("shop-%02d", len(all)))
		if len(all) > 0 {
			of = append(of, "--bootstrap", all[0].mesh, "--require-join")
		}
		all = append(all, start(t, of...))
	}
	for _, p := range all {
		for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) { // another process says nothing of itself
			seen := statsOf(t, p)
			if seen.Members == size && seen.Settled {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("a member says %+v, want %d members that agree", seen, size)
			}
		}
	}
	return all
}

type memberStats struct {
	Name    string
	Members int
	Settled bool
	Calls   uint64
}

func statsOf(t *testing.T, p *process) (seen memberStats) {
	t.Helper()
	r, err := http.Get("http://" + p.http + "/v1/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&seen); err != nil {
		t.Fatal(err)
	}
	return seen
}

// readAll has each member read the same keys, of which it holds copies from then on.
func readAll(t *testing.T, all []*process) {
	t.Helper()
	keys := make([]string, heldKeys)
	for i, p := range all {
		client := goredis.NewClient(&goredis.Options{Addr: p.redis})
		defer client.Close()
		for k := range keys {
			keys[k] = fmt.Sprint("held-", k)
			if i == 0 {
				if err := client.Set(t.Context(), keys[k], k, 0).Err(); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 2 {
			if err := client.MGet(t.Context(), keys...).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// idle says what each member takes while nothing is asked of it.
func idle(t *testing.T, all []*process, what string) {
	t.Helper()
	time.Sleep(3 * time.Second) // what came before is over
	calls := func() (sum uint64) {
		for _, p := range all {
			sum += statsOf(t, p).Calls
		}
		return sum
	}
	before, took := calls(), make([]time.Duration, len(all))
	for i, p := range all {
		took[i] = -p.ranFor(t)
	}
	time.Sleep(idleFor) // what is measured is time itself
	var resident, most int64
	var sum time.Duration
	for i, p := range all {
		took[i] += p.ranFor(t)
		sum += took[i]
		resident += p.resident(t)
		most = max(most, p.resident(t))
	}
	n := len(all)
	part := sum.Seconds() / idleFor.Seconds() / float64(n)
	t.Logf("%d members, each idle, %s: %.2f %% of a core (%.2f at most), %.1f MiB resident (%.1f at most), %.1f calls a second", n, what, 100*part,
		100*slices.Max(took).Seconds()/idleFor.Seconds(), float64(resident)/float64(n<<20), float64(most)/(1<<20), float64(calls()-before)/idleFor.Seconds()/float64(n))
	if part > mostIdle {
		t.Errorf("an idle member of %d, %s, takes %.2f %% of a core, want at most %.2f", n, what, 100*part, 100*mostIdle)
	}
}

// ranFor returns the processor time that the process has had, as its scheduler counts it.
func (p *process) ranFor(t *testing.T) (sum time.Duration) {
	t.Helper()
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	for _, thread := range threads {
		data, _ := os.ReadFile(thread)
		if ran, err := strconv.ParseInt(strings.Fields(string(data) + " -")[0], 10, 64); err == nil {
			sum += time.Duration(ran)
		}
	}
	return sum
}

// lookAtLarge measures the pages of the first member in Chromium, and kills the last while it looks.
func lookAtLarge(t *testing.T, all []*process) {
	chromium := os.Getenv("CACHEMESH_BROWSER")
	if chromium == "" {
		t.Log("CACHEMESH_BROWSER does not say which browser: nobody looks at the dashboard")
		return
	}
	victim := all[len(all)-1]
	name := statsOf(t, victim).Name
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/kill" {
			victim.cmd.Process.Signal(syscall.SIGKILL)
		}
	}))
	defer control.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", filepath.Join("..", "..", "dashboard", "browser", "large.mjs"),
		"http://"+all[0].http+"/", chromium, control.URL, name).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
