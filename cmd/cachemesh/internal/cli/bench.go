package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/load"
)

func (sh *shell) benchCommand() *cobra.Command {
	o := load.Options{}
	output := ""
	c := &cobra.Command{
		Use:   "bench",
		Short: "Ask a member as its Redis clients would, as fast as it answers, and say how long that took",
		Long: `Asks for keys that it sets itself, as many Redis clients at once. The keys stay, as
the group says, or until they are evicted. A password comes from CACHEMESH_REDIS_PASSWORD
or CACHEMESH_REDIS_PASSWORD_FILE. It measures the machine that it runs on too.`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if output != "table" && output != "json" {
				return usageError{fmt.Errorf("--output: %q is neither table nor json", output)}
			}
			if o.Duration > 0 && !c.Flags().Changed("requests") {
				o.Requests = 0
			}
			if err := o.Check(); err != nil {
				return usageError{err}
			}
			if o.Password, err = sh.secret("CACHEMESH_REDIS_PASSWORD"); err != nil {
				return usageError{err}
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt)
			defer stop()
			defer context.AfterFunc(ctx, stop)() // who interrupts it again need not wait for what is under way
			return sh.bench(ctx, o, output)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.Addr, "redis", "127.0.0.1:6379", "host:port for Redis clients of a member, or the path of its socket")
	flags.IntVarP(&o.Clients, "clients", "c", 50, "how many clients at once")
	flags.IntVarP(&o.Requests, "requests", "n", 100000, "how many requests, all together; 0: until --for is over")
	flags.DurationVar(&o.Duration, "for", 0, "how long (default: until all requests are made)")
	flags.IntVarP(&o.Keys, "keys", "k", 10000, "how many keys there are")
	flags.IntVarP(&o.Size, "size", "d", 100, "bytes of a value")
	flags.Float64Var(&o.Reads, "reads", 0.9, "part of the requests that read")
	flags.IntVarP(&o.Pipeline, "pipeline", "P", 1, "requests that a client sends at once")
	flags.StringVar(&o.Prefix, "prefix", "bench-", "what the keys begin with")
	flags.StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

// secret returns a secret of the environment, or of the file that it names.
func (sh *shell) secret(name string) (string, error) {
	text, _ := sh.getenv(name)
	if file, _ := sh.getenv(name + "_FILE"); file != "" {
		var err error
		if text, err = config.ReadSecret(file); err != nil {
			return "", fmt.Errorf("%s_FILE: %w", name, err)
		}
	}
	return text, nil
}

// measured is what is said of reads or writes; times are seconds.
type measured struct {
	Requests  int     `json:"requests"`
	PerSecond float64 `json:"perSecond"`
	P50       float64 `json:"p50"`
	P90       float64 `json:"p90"`
	P99       float64 `json:"p99"`
	Most      float64 `json:"max"`
}

func (sh *shell) bench(ctx context.Context, o load.Options, output string) error {
	r, err := load.Run(ctx, o)
	if err != nil {
		return err
	}
	of := func(t load.Times) measured {
		return measured{t.Count, float64(t.Count) / r.Took.Seconds(), t.At(50).Seconds(), t.At(90).Seconds(), t.At(99).Seconds(), t.Most.Seconds()}
	}
	reads, writes := of(r.Reads), of(r.Writes)
	if output == "json" {
		err = (&client{sh: sh}).json(map[string]any{"seconds": r.Took.Seconds(), "reads": reads, "hits": r.Hits, "writes": writes, "errors": r.Errors})
	} else {
		table := tabwriter.NewWriter(sh.out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(table, "\tREQUESTS\tPER SECOND\tP50\tP90\tP99\tMAX\t")
		for _, line := range []struct {
			name string
			measured
		}{{"reads", reads}, {"writes", writes}} {
			fmt.Fprintf(table, "%s\t%d\t%.0f\t%v\t%v\t%v\t%v\t\n", line.name, line.Requests, line.PerSecond, short(line.P50), short(line.P90), short(line.P99), short(line.Most))
		}
		table.Flush()
		_, err = fmt.Fprintf(sh.out, "%v, %d hits, %d errors\n", r.Took.Round(time.Millisecond), r.Hits, r.Errors)
	}
	if err == nil && r.Errors > 0 {
		err = errors.New("the member said: " + r.Error)
	}
	return err
}

// short returns a time of seconds to three digits or so.
func short(seconds float64) time.Duration {
	d := time.Duration(seconds * float64(time.Second))
	for unit := time.Duration(1); unit < time.Second; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
	return d.Round(time.Second / 10)
}
