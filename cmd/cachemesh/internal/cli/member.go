package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/member"
)

func (sh *shell) memberCommand() *cobra.Command {
	var announce, exitWithStdin bool
	c := &cobra.Command{
		Use:   "member",
		Short: "Run a member of the mesh, until SIGTERM, SIGINT or SIGHUP",
		Long: `Runs a member of the mesh. Each setting is a flag, a variable of the environment
(--redis-listen is CACHEMESH_REDIS_LISTEN) or a line of the YAML file that --config
names; a flag counts before the environment, and that before the file.

SIGTERM, SIGINT or SIGHUP makes it leave in order: its clients are answered, its values
are handed over. Another one, half a second later or more, ends it at once. With nohup
SIGHUP is nothing to it.

For a program that runs a member as a part of itself: with --announce the member says on
standard output, in one line of JSON, where it listens once it is ready; with
--exit-with-stdin it leaves when its standard input ends, or its parent, within two seconds,
and SIGINT and SIGHUP, which a terminal sends to the parent and to all its children, are the
parent's alone.`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := config.Load(c.Flags(), sh.getenv)
			if err != nil {
				return usageError{err}
			}
			signals, stop := listen(exitWithStdin)
			defer stop()
			// Or a member whose log nobody reads any more, as when its parent was killed, would end with the next
			// line that it writes, and with it what only it holds.
			signal.Ignore(syscall.SIGPIPE)
			watching, cancel := context.WithCancel(context.Background())
			defer cancel()
			var p parent
			if announce {
				p.announce = sh.out
			}
			if exitWithStdin {
				p.gone = gone(watching, sh.in, os.Getppid)
			}
			log, endLog := sh.logger(settings)
			defer func() { endLog(p.logTime()) }()
			return runMember(settings, log, signals, p)
		},
	}
	config.AddFlags(c.Flags())
	c.Flags().BoolVar(&announce, "announce", false, "say in a line of JSON on standard output where it listens, once it is ready")
	c.Flags().BoolVar(&exitWithStdin, "exit-with-stdin", false, "leave when standard input ends, or the parent does")
	return c
}

// listen returns the signals that make a member leave, until stop is called. The SIGINT and SIGHUP that a terminal sends
// are nothing to a member whose parent gets them as well: the parent may still answer requests that need the member.
func listen(partOfParent bool) (signals <-chan os.Signal, stop func()) {
	all, nowhere := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(all, syscall.SIGTERM)
	terminals := []os.Signal{os.Interrupt}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it, whose programs outlive the terminal
		terminals = append(terminals, syscall.SIGHUP)
	}
	if partOfParent {
		signal.Notify(nowhere, terminals...) // not signal.Ignore, with which Windows ends the process
	} else {
		signal.Notify(all, terminals...)
	}
	return all, func() { signal.Stop(all); signal.Stop(nowhere) }
}

// runMember runs a member until a signal comes, its parent ends, or a server of it fails.
func runMember(c config.Config, log *slog.Logger, signals <-chan os.Signal, p parent) error {
	m, heard, err := startMember(c, log, p.gone, signals)
	if m == nil {
		return err
	}
	l := leaving{m: m, log: log, most: c.ShutdownTimeout, signals: signals, gone: p.gone, heard: heard, exit: os.Exit}
	if !heard.IsZero() {
		return l.leave()
	}
	p.ready(m, c, log)
	select {
	case s := <-signals:
		l.hear(s)
	case <-p.gone:
		l.most = min(l.most, orphanTime)
	case failed := <-m.Failed():
		log.Error("a server of this member has failed: it leaves", "err", failed)
		return errors.Join(failed, l.leave())
	}
	return l.leave()
}

// startMember starts a member, unless its parent ends first: then this process is to end, with
// all that was begun. A signal that comes first stops it; a second one does not wait until it has stopped. One that was
// ready all the same is returned with when the signal was heard, and is to leave.
func startMember(c config.Config, log *slog.Logger, gone <-chan struct{}, signals <-chan os.Signal) (m *member.Member, heard time.Time, err error) {
	ctx, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	type result struct {
		m   *member.Member
		err error
	}
	started := make(chan result, 1)
	go func() {
		m, err := member.StartContext(ctx, c, version(), log)
		started <- result{m, err}
	}()
	for {
		select {
		case r := <-started:
			if !heard.IsZero() && errors.Is(r.err, context.Canceled) {
				r.err = nil // it had nothing to hand over
			}
			return r.m, heard, r.err
		case s := <-signals:
			if !heard.IsZero() {
				if isEcho(heard) {
					continue
				}
				return nil, heard, errors.New("a second signal came before this member had stopped")
			}
			log.Info("a signal came before this member was ready", "signal", s.String())
			heard = time.Now()
			giveUp()
		case <-gone:
			return nil, heard, errors.New("the process that this member is a part of ended before it was ready")
		}
	}
}

func (sh *shell) configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Work with settings", Args: args(cobra.NoArgs), RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	check := &cobra.Command{
		Use:   "check",
		Short: "Check the settings that a member would run with, and print them without secrets",
		Args:  args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := config.Load(c.Flags(), sh.getenv)
			if err != nil {
				return usageError{err}
			}
			encoder := yaml.NewEncoder(sh.out)
			encoder.SetIndent(2)
			defer encoder.Close()
			return encoder.Encode(settings.WithoutSecrets())
		},
	}
	config.AddFlags(check.Flags())
	c.AddCommand(check)
	return c
}
