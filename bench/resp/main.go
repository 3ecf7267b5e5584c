// Command resp measures the program cachemesh as Redis clients see it, beside Redis and a server of
// github.com/tidwall/redcon: GET and SET of 128 B by redis-benchmark, one at a time and sixteen at once; then
// three members, asked for keys that others own, beside a Redis Cluster of three whose client knows where each
// key is.
//
//	go run ./resp                  # five rounds, some minutes
//	go run ./resp -out RESULTS-program.md
//
// It needs redis-server, redis-cli and redis-benchmark (on Debian: apt install redis), and builds the program.
// All systems run at once and idle but for the one that is asked; each round asks them in an order that
// changes. A ratio is taken within a round.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"
)

func main() {
	var o options
	only, role := "", ""
	flag.IntVar(&o.rounds, "rounds", 5, "of everything")
	flag.DurationVar(&o.seconds, "for", 1500*time.Millisecond, "how long a measurement takes, roughly")
	flag.StringVar(&o.program, "cachemesh", "", "the program (default: it is built)")
	flag.StringVar(&only, "only", "", "only measurements whose name matches this regular expression")
	flag.StringVar(&o.out, "out", "", "a file for the tables, beside the terminal")
	flag.Uint64Var(&o.seed, "seed", 1, "of the order")
	flag.IntVar(&o.parallel, "c", 50, "connections")
	flag.StringVar(&role, "redcon", "", "used by this program itself: serve as redcon at this address")
	flag.Parse()
	if role != "" {
		fatal(serveRedcon(role))
	}
	var err error
	if o.only, err = regexp.Compile(only); err != nil {
		fatal(err)
	}
	for _, tool := range []string{"redis-server", "redis-cli", "redis-benchmark"} {
		if _, err := exec.LookPath(tool); err != nil {
			fmt.Printf("SKIPPED: %s is not installed (apt-get install redis)\n", tool)
			return
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fatal(run(ctx, o))
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "resp:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, o options) (err error) {
	if o.scratch, err = os.MkdirTemp("", "cachemesh-resp-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.scratch)
	if o.program == "" {
		o.program = filepath.Join(o.scratch, "cachemesh")
		build := exec.CommandContext(ctx, "go", "build", "-o", o.program, "./cmd/cachemesh")
		build.Dir, build.Env = "..", append(os.Environ(), "GOWORK=") // the workspace joins the program's module with the library
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building cachemesh: %w\n%s", err, out)
		}
	}
	fleet := &fleet{o: o}
	defer fleet.stop()
	cells, err := prepare(ctx, fleet)
	if err != nil {
		return err
	}
	order := rand.New(rand.NewPCG(o.seed, 0))
	for round := range o.rounds {
		for _, c := range cells {
			if !o.only.MatchString(c.name) {
				continue
			}
			rates := make(map[string]float64)
			for _, i := range order.Perm(len(c.systems)) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				s := c.systems[i]
				if rates[s.name], err = s.measure(ctx); err != nil {
					return fmt.Errorf("%s, %s: %w", c.name, s.name, err)
				}
			}
			c.rounds = append(c.rounds, rates)
			fmt.Printf("round %d  %-34s", round+1, c.name)
			for _, s := range c.systems {
				fmt.Printf("  %s %.0f/s", s.name, rates[s.name])
			}
			fmt.Println()
		}
	}
	text := report(o, cells)
	if notes, err := os.ReadFile(filepath.Join(filepath.Dir(o.out), "NOTES-program.md")); err == nil && o.out != "" {
		text += "\n" + string(notes)
	}
	fmt.Print("\n", text)
	if o.out != "" {
		err = os.WriteFile(o.out, []byte(text), 0o644)
	}
	return errors.Join(err, fleet.failed())
}
