package membership

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestParseLine(t *testing.T) {
	for in, want := range map[string]string{
		"[DEBUG] memberlist: Stream connection from=1.2.3.4:5\n": "DEBUG Stream connection from=1.2.3.4:5",
		"[INFO] memberlist: Suspect n1 has failed\n":             "INFO Suspect n1 has failed",
		"[WARN] memberlist: Refuting":                            "WARN Refuting",
		"[ERR] memberlist: Push/Pull with n1 failed":             "WARN Push/Pull with n1 failed",
		"[ERR] Failed to shutdown transport: x":                  "WARN Failed to shutdown transport: x",
		"Err: Could not set the deadline":                        "WARN Err: Could not set the deadline",
		"":                                                       "WARN ",
		strings.Repeat("x", 9000):                                "WARN " + strings.Repeat("x", maxLogText),
	} {
		if level, msg := parseLine(in); fmt.Sprintf("%v %s", level, msg) != want {
			t.Errorf("%q: %v %q, want %q", in, level, msg, want)
		}
	}
}

// TestRestartsInOrderWarnOfNothing: what gossip says of a member that comes back under its name, or of one that
// is leaving, is worth no warning; what it says of another that cannot be dialled is.
func TestRestartsInOrderWarnOfNothing(t *testing.T) {
	var out bytes.Buffer
	b := &bridge{journal: newJournal(slog.New(slog.NewTextHandler(&out, nil)))}
	leaving := fmt.Errorf("%w: connection refused", ErrLeaving)
	for _, said := range []string{
		"[WARN] memberlist: Refuting a dead message (from: n1)",
		fmt.Sprintf("[ERR] memberlist: Push/Pull with n1 failed: %v", leaving),
		"[ERR] memberlist: Push/Pull with n1 failed: dial tcp 10.0.0.1:3000: refused",
	} {
		fmt.Fprintln(b, said)
	}
	var got []string
	for len(b.journal.lines) > 0 {
		got = append(got, (<-b.journal.lines).level.String())
	}
	if want := "[INFO INFO WARN]"; fmt.Sprint(got) != want {
		t.Errorf("levels %v, want %v", got, want)
	}
}

func TestLimiter(t *testing.T) {
	l := limiter{classes: make(map[string]*quota)}
	t0 := time.Now()
	ask := func(class string, after time.Duration, want string) {
		t.Helper()
		n, ok := l.allow(class, time.Second, t0.Add(after))
		if got := fmt.Sprint(n, ok); got != want {
			t.Errorf("%s after %v: %s, want %s", class, after, got, want)
		}
	}
	ask("a", 0, "0 true")
	ask("b", 0, "0 true")
	ask("a", 1, "0 false")
	ask("a", 2, "0 false")
	ask("a", time.Second, "2 true")
	ask("a", 2*time.Second, "0 true")
	for i := range 10 * journalClasses {
		l.allow(fmt.Sprint(i), time.Second, t0)
	}
	if n := len(l.classes); n > journalClasses {
		t.Errorf("%d classes are kept", n)
	}
}

func TestClassesJoinWhatBelongsTogether(t *testing.T) {
	a := classOf("Push/Pull with n1 failed: dial tcp 10.0.0.1:3000: refused")
	if b := classOf("Push/Pull with n1 failed: i/o timeout"); a != b || a == "" {
		t.Errorf("%q and %q", a, b)
	}
}

// TestSlowHandlerBlocksNobody writes a log whose handler hangs: members go on, and lines are dropped and counted.
func TestSlowHandlerBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var out bytes.Buffer
		w := writerFunc(func(p []byte) (int, error) {
			<-release
			return out.Write(p)
		})
		j := newJournal(slog.New(slog.NewTextHandler(w, nil)))
		done := make(chan struct{})
		go func() {
			j.run(t.Context())
			close(done)
		}()
		for i := range 3 * journalDepth {
			j.add(slog.LevelWarn, fmt.Sprintf("line %c", 'a'+i%3))
		}
		synctest.Wait()
		if n := j.dropped.Load(); n < journalDepth {
			t.Errorf("%d lines were dropped", n)
		}
		close(release)
		synctest.Wait()
		if n := strings.Count(out.String(), "\n"); n != 3 {
			t.Errorf("%d lines were written, want one of each:\n%s", n, out.String())
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
