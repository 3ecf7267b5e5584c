//go:build unix

package cli

import (
	"log/slog"
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/member"
)

// Clients that take all the connections they can leave enough files for other members to come.
func TestClientsLeaveFilesForMembers(t *testing.T) {
	c := exec.Command("sh", append([]string{"-c", `ulimit -n 64; exec "$0" "$@"`, os.Args[0]}, withoutParent...)...)
	c.Env = append(os.Environ(), "CLI_TEST_IS=cachemesh")
	ready, _ := started(t, c)
	for _, addr := range []string{ready.Redis, ready.HTTP} {
		for range 80 {
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
		}
	}
	joins := local()
	joins.Bootstrap, joins.RequireJoin = []string{ready.Mesh}, true
	m, err := member.Start(joins, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
}
