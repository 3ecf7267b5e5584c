package cli

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A member that is told to stop before it is ready does so at once, and leaves nothing behind: it need not wait for
// members that do not answer.
func TestSignalBeforeTheMemberIsReady(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // nobody there answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c := local()
	c.Bootstrap, c.JoinTimeout = []string{silent.Addr().String()}, time.Minute
	c.Redis.Socket = filepath.Join(t.TempDir(), "redis")
	signals := make(chan os.Signal, 2)
	ended := make(chan error, 1)
	var said bytes.Buffer
	go func() { ended <- runMember(c, slog.New(slog.NewTextHandler(&said, nil)), signals, parent{}) }()
	nc, err := silent.Accept() // it has begun to join
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	signals <- syscall.SIGTERM
	select {
	case err := <-ended:
		if err != nil || !strings.Contains(said.String(), "before this member was ready") {
			t.Error(err, said.String())
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on joining")
	}
	if _, err := os.Stat(c.Redis.Socket); err == nil {
		t.Error("the socket is left behind")
	}
}
