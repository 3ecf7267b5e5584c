package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal returns both ends of a terminal of 90 columns and 24 lines.
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no terminals here: ", err)
	}
	t.Cleanup(func() { ours.Close() })
	fd := int(ours.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 90}); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// In a terminal top fills the screen, takes keys, and leaves the terminal as it was.
func TestTopInATerminal(t *testing.T) {
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	member := start(t, anywhere...)
	ours, theirs := terminal(t)
	top := exec.Command(path, "top", "--server", "http://"+member.http, "--every", "100ms")
	top.Env = append(os.Environ(), "TERM=xterm-256color")
	top.Stdin, top.Stdout, top.Stderr = theirs, theirs, theirs
	if err := top.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	var mu sync.Mutex // guards shown
	var shown strings.Builder
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := ours.Read(b)
			if err != nil {
				return
			}
			mu.Lock()
			shown.Write(b[:n])
			mu.Unlock()
		}
	}()
	await := func(what string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			text := shown.String()
			mu.Unlock()
			if strings.Contains(text, what) {
				return
			}
			if time.Now().After(end) {
				top.Process.Kill()
				t.Fatalf("%q is not shown: %q", what, text)
			}
		}
	}
	await("\x1b[?1049h") // a screen of its own
	await("they agree")
	await("default")
	await("this one")
	ours.WriteString("s")
	await("name)")
	ours.WriteString("p")
	await("PAUSED")
	ours.WriteString("q")
	if err := top.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	await("\x1b[?1049l")
}
