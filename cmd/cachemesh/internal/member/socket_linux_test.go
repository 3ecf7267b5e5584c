package member_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/member"
)

// A socket whose process takes no connection now, as one that is stopped, is not one that a process left behind; nor is
// one of another kind.
func TestSocketsOfOthers(t *testing.T) {
	dir := t.TempDir()
	busy, datagrams := filepath.Join(dir, "busy"), filepath.Join(dir, "datagrams")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: busy}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	first, err := net.Dial("unix", busy) // the only one that may wait
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	other, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: datagrams, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	c := local()
	for path, want := range map[string]string{busy: "another process's", datagrams: "another process's", dir: "no socket", filepath.Join(dir, strings.Repeat("x", 100)): "too long"} {
		c.Redis.Socket = path
		m, err := member.Start(c, "test", silent)
		if err == nil {
			m.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	for _, path := range []string{busy, datagrams} {
		if _, err := os.Stat(path); err != nil {
			t.Error("it was removed:", err)
		}
	}
}
