//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// limit bounds the whole run, beside what -cut adds.
const limit = 270 * time.Second

func main() {
	if config := os.Getenv(memberEnv); config != "" {
		os.Exit(runMember(config))
	}
	only := flag.String("run", "", "run the scenarios whose name contains this, only")
	verbose := flag.Bool("v", false, "print what goes wrong for callers, and the members' logs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit+max(0, *cutFor-shortCut)+copiesTime())
	failed, err := runAll(ctx, *only, *verbose)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(2)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

// runAll runs the scenarios, each on a mesh of its own, and prints the table.
func runAll(ctx context.Context, only string, verbose bool) (failed int, err error) {
	if os.Geteuid() != 0 {
		return 0, fmt.Errorf("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return 0, fmt.Errorf("the ip command of iproute2 is needed: %w", err)
	}
	removeLeftovers(ctx)
	table := tabwriter.NewWriter(os.Stdout, 2, 0, 3, ' ', 0)
	fmt.Fprintln(table, "scenario\tfigure\twanted\t")
	for _, sc := range scenarios {
		if !strings.Contains(sc.name, only) {
			continue
		}
		began := time.Now()
		results, err := runOne(ctx, sc, verbose)
		if err != nil {
			table.Flush()
			return failed, fmt.Errorf("%s: %w", sc.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: %v\n", sc.name, time.Since(began).Round(time.Second))
		for _, r := range results {
			verdict := "pass"
			if !r.ok {
				verdict = "FAIL"
				failed++
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", sc.name, r.figure, r.want, verdict)
		}
	}
	return failed, table.Flush()
}

func runOne(ctx context.Context, sc scenario, verbose bool) (results []result, err error) {
	m, err := newMesh(ctx, sc.members, sc.secret, verbose)
	if err != nil {
		return nil, err
	}
	defer m.close()
	defer context.AfterFunc(ctx, m.killAll)() // whoever waits for a stopped member goes on
	if err := sc.play(ctx, m); err != nil {
		return nil, err
	}
	return m.results, ctx.Err()
}
