package cli

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/member"
)

// What others have named reaches the terminal as text: no name of a group moves the cursor, or breaks a table.
func TestNamesAreNoOrdersToTheTerminal(t *testing.T) {
	c := local()
	c.OtherGroups = config.OtherGroups{Allow: true, Most: 1, MaxBytes: 1 << 20}
	m, err := member.Start(c, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	env := map[string]string{"CACHEMESH_SERVER": "http://" + m.HTTPAddr.String()}
	if code, _, errOut := run(env, "", "set", "--group", "a\x1b[2J\nb\tc", "k", "v"); code != 0 {
		t.Fatal(errOut)
	}
	for _, command := range []string{"groups", "top"} {
		args := []string{command}
		if command == "top" {
			args = append(args, "-n", "1")
		}
		code, out, errOut := run(env, "", args...)
		if code != 0 || !strings.Contains(out, `"a\x1b[2J\nb\tc"`) || strings.ContainsRune(out, '\x1b') {
			t.Errorf("%s: %d %q %s", command, code, out, errOut)
		}
	}
}
