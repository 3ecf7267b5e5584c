// Command queues measures what waits in the queues between two members: Gets of 128 B
// by up to 65 536 callers at once, and the same Gets by one caller beside sixteen that
// move values of megabytes. It prints the median, the 99th percentile and the rate.
//
//	go run ./queues                          # this tree
//	go run ./queues -against /tmp/queues     # in turns with another build of this program
//
// Each measurement runs in processes of its own, two members.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 3, "of everything, each in turns with -against")
	duration := flag.Duration("duration", 2*time.Second, "of one measurement")
	only := flag.String("only", "", "only cells whose name matches this regular expression")
	against := flag.String("against", "", "another build of this program to take turns with")
	one := flag.String("cell", "", "used by this program itself: measure one cell")
	member := flag.String("member", "", "used by this program itself: be the second member")
	profile := flag.String("profile", "", "folder for CPU profiles of the calling process")
	flag.Parse()
	err := error(nil)
	switch {
	case *member != "":
		err = serveMember(*member)
	case *one != "":
		err = measureOne(*one, *duration, *profile)
	default:
		err = all(*rounds, *duration, *only, *against, *profile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "queues:", err)
		os.Exit(1)
	}
}

// all runs every cell in every round, by each build in turn.
func all(rounds int, duration time.Duration, only, against, profile string) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	builds := []string{os.Args[0]}
	if against != "" {
		builds = append(builds, against)
	}
	fmt.Printf("%-5s %-20s %-8s %s\n", "round", "cell", "build", result{}.heading())
	for round := 1; round <= rounds; round++ {
		for _, c := range cells {
			if !match.MatchString(c.name) {
				continue
			}
			order := slices.Clone(builds)
			if round%2 == 0 {
				slices.Reverse(order)
			}
			for _, build := range order {
				r, err := run(build, c.name, duration, profile)
				if err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
				name := "this"
				if build == against {
					name = "against"
				}
				fmt.Printf("%-5d %-20s %-8s %s\n", round, c.name, name, r)
			}
		}
	}
	return nil
}

// run measures one cell in a process of its own.
func run(build, cell string, duration time.Duration, profile string) (r result, err error) {
	cmd := exec.Command(build, "-cell", cell, "-duration", duration.String(), "-profile", profile)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(out, &r)
}

// result is what one measurement found.
type result struct {
	P50, P99, Max time.Duration // of the Gets of 128 B
	Rate          float64       // of them, a second
	Errors        int
	Beside        float64 // MB/s that the sixteen others moved
	Heap          float64 // MB of the caller's live heap when idle again, beyond what it was before
}

func (result) heading() string {
	return fmt.Sprintf("%10s %10s %10s %7s %10s %6s %10s %9s", "p50", "p99", "max", "p99/p50", "calls/s", "errors", "MB/s more", "heap +MB")
}

func (r result) String() string {
	return fmt.Sprintf("%10v %10v %10v %7.1f %10.0f %6d %10.0f %9.1f", r.P50.Round(time.Microsecond), r.P99.Round(time.Microsecond),
		r.Max.Round(time.Microsecond), float64(r.P99)/float64(max(r.P50, 1)), r.Rate, r.Errors, r.Beside, r.Heap)
}
