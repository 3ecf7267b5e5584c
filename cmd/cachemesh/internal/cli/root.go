// Package cli is the program's commands. They end with 0 if all went well, 1 if what was asked
// could not be done, 2 if it was asked wrongly.
package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/redis"
)

const (
	exitFailed = 1
	exitUsage  = 2

	errorTime = time.Second // for what went wrong to be said
)

// Run runs the program and returns its exit code.
func Run(args []string, getenv func(string) (string, bool), in io.Reader, out, errOut io.Writer) int {
	sh := &shell{getenv: getenv, in: in, out: out, err: errOut}
	root := sh.root()
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return 0
	}
	said := make(chan struct{})
	go func() { // nobody may take it, and this process ends all the same
		defer close(said)
		fmt.Fprintln(errOut, "cachemesh:", strings.TrimPrefix(err.Error(), "cachemesh: "))
	}()
	within(errorTime, said)
	var usage usageError
	if errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command") {
		return exitUsage
	}
	return exitFailed
}

func (sh *shell) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "cachemesh",
		Short:         "A cache without a server: members that find each other and share their memory",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(sh.in)
	root.SetOut(sh.out)
	root.SetErr(sh.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(sh.memberCommand(), sh.configCommand(), sh.versionCommand())
	root.AddCommand(sh.clientCommands()...)
	root.AddCommand(manCommand())
	explain(root)
	return root
}

func (sh *shell) versionCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) (err error) {
			switch output {
			case "table":
				_, err = fmt.Fprintln(sh.out, "cachemesh", version())
			case "json":
				err = json.NewEncoder(sh.out).Encode(map[string]any{"name": "cachemesh", "version": version(), "protocol": redis.Protocol, "os": runtime.GOOS, "arch": runtime.GOARCH})
			default:
				err = usageError{fmt.Errorf("--output: %q is neither table nor json", output)}
			}
			return err
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

// release is the version that a build is told to be, by -ldflags=-X; "": none.
var release string

// version returns what the build knows of itself: the module's version, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	if release != "" {
		return release + " " + info.GoVersion
	}
	text := info.Main.Version
	if text == "" {
		text = "(devel)"
	}
	var revision, changed string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	if revision != "" && !strings.Contains(text, revision) {
		text += " " + revision + changed
	}
	return text + " " + info.GoVersion
}
