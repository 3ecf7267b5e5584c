package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// A usageError says that a command was given wrongly.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// A shell is what the commands are given of the process.
type shell struct {
	getenv func(string) (string, bool)
	in     io.Reader
	out    io.Writer
	err    io.Writer
}

// args makes a wrong number of arguments a usageError.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		if err := check(c, given); err != nil {
			return usageError{fmt.Errorf("%s: %w", c.CommandPath(), err)}
		}
		return nil
	}
}
