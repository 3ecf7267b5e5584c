package owner

import (
	"strings"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
)

// failedMost is how many bytes of an error are kept as it is.
const failedMost = 2 << 10

// memoOf returns what may be remembered of a failure, nil if err is none or the group
// remembers nothing. An error that is large, or might be, is remembered by its text,
// clipped, and by what members recognise in each other's errors. It asks the error,
// so it must not be called under a lock.
func (c *memory) memoOf(err error) *memo {
	le, ok := err.(*errs.LoadError)
	if !ok || c.setbacks == nil && c.reasons == nil {
		return nil
	}
	le = withoutStack(le)
	n, ok := c.ErrorSize(le.Err)
	if !ok || n > failedMost {
		text := guard.TextOf(le.Err)
		short := *le
		short.Err = &errs.RemoteError{Text: strings.Clone(text[:min(len(text), failedText)]), Known: c.Errors.Identity(le.Err)}
		le, n = &short, failedText
	}
	return &memo{le, failedBytes + n + int64(len(le.Key))}
}
