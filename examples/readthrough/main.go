// Command readthrough shows CacheMesh in the service it is made for: three
// processes of one small HTTP service embed it, and together they are one
// read-through cache in front of the service's database.
//
// From the repository's root:
//
//	go run ./examples/readthrough                          SQLite in a temporary file
//	go run ./examples/readthrough -dsn postgres://…        PostgreSQL
//	go run ./examples/readthrough -kill                    and kill a member while it is asked
//	go run ./examples/readthrough -serve                   and stay up, to be tried with curl
//
// The service is in member.go, service.go and origin.go. All else is the
// demonstration: it starts the members, asks them, and checks what they say.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// flags are the command line.
type flags struct {
	members int
	gets    int
	places  int
	dsn     string
	serve   bool
	kill    bool
}

const (
	maxMembers = 16
	maxGets    = 5_000_000
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	if config := os.Getenv(memberEnv); config != "" {
		os.Exit(runMember(config))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// A usageError is the user's to mend: a flag or the DSN.
type usageError struct{ error }

// run is main without the process around it. It returns the exit code.
func run(args []string, out *os.File, errOut io.Writer) int {
	f, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		printUsage(out)
		return exitOK
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		context.AfterFunc(ctx, stop) // a second Ctrl-C ends this process at once
		defer stop()
		err = demonstrate(ctx, f, newScreen(out))
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			fmt.Fprintln(errOut, "readthrough: interrupted; all members have stopped")
			return exitInterrupted
		}
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(errOut, "readthrough:", strings.Join(strings.Fields(err.Error()), " "))
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

func newFlagSet() (*flag.FlagSet, *flags) {
	f := new(flags)
	set := flag.NewFlagSet("readthrough", flag.ContinueOnError)
	set.IntVar(&f.members, "members", 3, fmt.Sprintf("`processes` of the service, from 1 to %d", maxMembers))
	set.IntVar(&f.gets, "gets", 60_000, fmt.Sprintf("look-ups of `popular` places, from 0 to %d", maxGets))
	set.IntVar(&f.places, "places", 0, "import only the `largest` places; default: all")
	set.StringVar(&f.dsn, "dsn", "", "`database`: postgres://… or the path of a SQLite file; default: a temporary SQLite file")
	set.BoolVar(&f.serve, "serve", false, "stay up until Ctrl-C")
	set.BoolVar(&f.kill, "kill", false, "kill a member (SIGKILL) and measure what the others' callers notice")
	set.SetOutput(io.Discard)
	return set, f
}

func printUsage(out io.Writer) {
	set, _ := newFlagSet()
	fmt.Fprintln(out, "Usage: go run ./examples/readthrough [flags]")
	set.SetOutput(out)
	set.PrintDefaults()
}

func parseFlags(args []string) (flags, error) {
	set, f := newFlagSet()
	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return *f, err
	case err != nil:
	case set.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", set.Arg(0))
	case f.members < 1 || f.members > maxMembers:
		err = fmt.Errorf("-members %d: want 1 to %d", f.members, maxMembers)
	case f.gets < 0 || f.gets > maxGets:
		err = fmt.Errorf("-gets %d: want 0 to %d", f.gets, maxGets)
	case f.places != 0 && f.places < minPlaces:
		err = fmt.Errorf("-places %d: want at least %d", f.places, minPlaces)
	case f.kill && f.members < 2:
		err = errors.New("-kill needs at least 2 members")
	}
	if err != nil {
		return *f, usageError{err}
	}
	return *f, nil
}
