package cli

import (
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

var withoutParent = []string{"member", "--announce", "--listen=127.0.0.1:0", "--redis-listen=127.0.0.1:0", "--http-listen=127.0.0.1:0"}

// The end of the terminal makes a member leave in order, unless it is to outlive the terminal.
func TestTerminalHangsUp(t *testing.T) {
	for _, nohup := range []bool{false, true} {
		if !nohup && signal.Ignored(syscall.SIGHUP) {
			continue // as children of this have it, too
		}
		c := program("cachemesh", withoutParent...)
		var said strings.Builder
		c.Stderr = &said
		if nohup {
			signal.Ignore(syscall.SIGHUP) // as its children have it then
		}
		started(t, c)
		signal.Reset(syscall.SIGHUP)
		want := "signal=hangup"
		c.Process.Signal(syscall.SIGHUP)
		if nohup {
			want = "signal=terminated"
			c.Process.Signal(syscall.SIGTERM)
		}
		if err := c.Wait(); err != nil || !strings.Contains(said.String(), want) || !strings.Contains(said.String(), "this member has left") {
			t.Errorf("nohup %v: %v\n%s", nohup, err, said.String())
		}
	}
}

// told says on a channel when something is written.
type told chan struct{}

func (c told) Write(b []byte) (int, error) {
	close(c)
	return len(b), nil
}

// A signal that comes twice at once, to a process and to its group, is one word: the member leaves in order, whether it
// was ready or not.
func TestSignalComesTwiceAtOnce(t *testing.T) {
	for _, early := range []bool{false, true} {
		signals, ready, ended := make(chan os.Signal, 2), make(told), make(chan error, 1)
		twice := func() { signals <- syscall.SIGTERM; signals <- syscall.SIGTERM }
		if early {
			twice()
		}
		go func() { ended <- runMember(local(), slog.New(slog.DiscardHandler), signals, parent{announce: ready}) }()
		if !early {
			select {
			case <-ready:
			case err := <-ended:
				t.Fatal(err)
			}
			twice()
		}
		if err := <-ended; err != nil {
			t.Errorf("before it was ready %v: %v", early, err)
		}
	}
}
