package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
)

func topCommand(cl *client) *cobra.Command {
	every, count := 2*time.Second, 0
	c := cl.command("top", "Show what a member does, again and again, until it is interrupted", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		if every < 100*time.Millisecond || count < 0 {
			return usageError{fmt.Errorf("--every is 100ms or more, and --count not negative")}
		}
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt)
		defer stop()
		if cl.output == "table" && isTerminal(cl.sh.out) && isTerminal(cl.sh.in) {
			s := &screen{every: every, left: count, look: func() (*seen, error) { return cl.look(ctx) }}
			return s.run(ctx, cl.sh)
		}
		return cl.top(ctx, every, count)
	})
	c.Flags().DurationVar(&every, "every", every, "time between two looks")
	c.Flags().IntVarP(&count, "count", "n", 0, "how many looks (default: until it is interrupted)")
	return c
}

// top looks at a member, and prints what it did since the look before; as JSON each look is a
// line.
func (cl *client) top(ctx context.Context, every time.Duration, count int) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var before *seen
	for looks := 1; ; looks++ {
		now, err := cl.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if cl.output == "json" {
			err = json.NewEncoder(cl.sh.out).Encode(now)
		} else {
			if before != nil {
				fmt.Fprintln(cl.sh.out)
			}
			err = now.show(cl.sh.out, before)
		}
		if err != nil || looks == count {
			return err
		}
		before = now
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func isTerminal(of any) bool {
	f, ok := of.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}

// look asks the member.
func (cl *client) look(ctx context.Context) (*seen, error) {
	now := &seen{At: time.Now()}
	for path, to := range map[string]any{"/v1/stats": &now.Stats, "/v1/members": now, "/v1/groups": now} {
		_, data, err := cl.do(ctx, http.MethodGet, path, nil, nil)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, to); err != nil {
			return nil, unreadable(err)
		}
	}
	return now, nil
}
