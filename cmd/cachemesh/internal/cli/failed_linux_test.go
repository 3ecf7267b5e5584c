package cli

import (
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/member"
)

// lineTo hands on the line that a member says when it is ready.
type lineTo chan readyLine

func (c lineTo) Write(b []byte) (int, error) {
	var line readyLine
	err := json.Unmarshal(b, &line)
	c <- line
	return len(b), err
}

// A member one of whose servers fails hands over what it has before it ends.
func TestMemberWhoseServerFailsHandsOver(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	c := local()
	c.Replicas = 1
	stays, err := member.Start(c, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	defer stays.Close()
	c.Bootstrap, c.RequireJoin = []string{stays.Node.Addr()}, true
	ready, ended := make(lineTo, 1), make(chan error, 1)
	go func() { ended <- runMember(c, log, make(chan os.Signal), parent{announce: ready}) }()
	var line readyLine
	select {
	case line = <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	env := map[string]string{"CACHEMESH_SERVER": "http://" + stays.HTTPAddr.String()}
	const keys = 100
	for i := range keys {
		if code, _, errOut := run(env, "", "set", strconv.Itoa(i), "v"); code != 0 {
			t.Fatal(errOut)
		}
	}
	breakListener(t, line.HTTP)
	if err := <-ended; err == nil {
		t.Error("it ended without an error")
	}
	for i := range keys {
		if code, _, errOut := run(env, "", "get", strconv.Itoa(i)); code != 0 {
			t.Fatalf("%d: %s", i, errOut)
		}
	}
}

// breakListener makes the listener at an address, which is this process', fail.
func breakListener(t *testing.T, addr string) {
	t.Helper()
	at, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	for fd := range 1024 {
		listens, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
		if err != nil || listens == 0 {
			continue
		}
		if name, err := syscall.Getsockname(fd); err == nil {
			if here, ok := name.(*syscall.SockaddrInet4); ok && here.Port == at.Port {
				syscall.Shutdown(fd, syscall.SHUT_RDWR)
				return
			}
		}
	}
	t.Fatal("no such listener")
}
