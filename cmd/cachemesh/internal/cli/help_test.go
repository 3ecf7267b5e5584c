package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command says at length what it does, with examples, and these are right: the command is there, and takes
// such flags and arguments.
func TestHelp(t *testing.T) {
	sh := &shell{getenv: func(string) (string, bool) { return "", false }, in: strings.NewReader(""), out: io.Discard, err: io.Discard}
	seen := make(map[string]bool)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		path := c.CommandPath()
		if c.Hidden || strings.HasPrefix(path, "cachemesh completion") || path == "cachemesh help" {
			return
		}
		seen[path] = true
		if len(c.Long) < 50 || !strings.Contains(c.Example, path) {
			t.Errorf("%s: its help has %d bytes, and examples %q", path, len(c.Long), c.Example)
		}
		for line := range strings.Lines(c.Example) {
			_, line, found := strings.Cut(line, "cachemesh ")
			if !found || strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			line, _, _ = strings.Cut(line, "<")
			line, _, _ = strings.Cut(line, ">")
			found = false
			command, rest, err := sh.root().Find(strings.Fields(line))
			if err == nil {
				err = command.ParseFlags(rest)
			}
			if err == nil {
				err = command.ValidateArgs(command.Flags().Args())
			}
			if err != nil || command.CommandPath() == "cachemesh" {
				t.Errorf("%s: the example %q: %v", path, line, err)
			}
		}
	}
	walk(sh.root())
	for path := range pages {
		if !seen[path] {
			t.Errorf("there is help for %s, which is no command", path)
		}
	}
}

func TestManual(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	if code, _, errOut := run(nil, "", "man", dir); code != 0 {
		t.Fatal(errOut)
	}
	for _, want := range []string{"cachemesh.1", "cachemesh-member.1", "cachemesh-config-check.1", "cachemesh-top.1"} {
		text, err := os.ReadFile(filepath.Join(dir, want))
		if err != nil || !strings.Contains(string(text), ".SH EXAMPLE") || !strings.Contains(string(text), ".SH SYNOPSIS") {
			t.Errorf("%s: %v, %.200s", want, err, text)
		}
	}
}
