package proc

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/bench/delay"
	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// A Setup says in what circumstances a system shall run.
type Setup struct {
	Members    int   // of a mesh, or servers of a system that spreads over several
	Drivers    int   // processes that do the work; the first of the members in a mesh
	CacheBytes int64 // budget of each member
	HotCopies  bool  // else drivers keep no copies of what others own
	Entries    int
	Origin     work.OriginSpec
	Delay      delay.Dialer // of the network between all processes

	OriginProcess *Origin // whose processor time counts too; nil: none
}

// A Fleet is a system's processes. It must be used from the goroutine that
// started it.
type Fleet struct {
	Entry    systems.Entry
	children []*child
	drivers  []*child
	origin   *Origin
}

// Start starts the processes of a system and waits until they have found each
// other. The calling goroutine must be locked to the main thread, because the
// processes end with it.
func Start(ctx context.Context, e systems.Entry, s Setup) (*Fleet, error) {
	f := &Fleet{Entry: e, origin: s.OriginProcess}
	err := f.start(ctx, s)
	if err != nil {
		f.Stop()
		return nil, fmt.Errorf("%s does not start: %w", e.Name, err)
	}
	return f, nil
}

func (f *Fleet) start(ctx context.Context, s Setup) error {
	spec := systems.Spec{System: f.Entry.Name, CacheBytes: s.CacheBytes, HotCopies: s.HotCopies, Entries: s.Entries, Origin: s.Origin, Delay: s.Delay}
	switch {
	case f.Entry.Kind == systems.Local:
		s.Members, s.Drivers = 1, 1
	case f.Entry.Kind == systems.Mesh:
	case f.Entry.Program != "":
		if err := f.startProgram(ctx, &spec, s.CacheBytes*int64(s.Members)); err != nil {
			return err
		}
		s.Members = s.Drivers
	default:
		// Of two processes one is the client; of three members all are servers.
		servers := s.Members
		if servers == 2 {
			servers = 1
		}
		if err := f.startMembers(ctx, &spec, servers, true); err != nil {
			return err
		}
		s.Members = s.Drivers
	}
	if err := f.startMembers(ctx, &spec, s.Members, false); err != nil {
		return err
	}
	f.drivers = f.children[len(f.children)-s.Members:][:s.Drivers]
	return nil
}

// startMembers starts processes one after another and waits until all of them
// see each other. A system's servers are started before its clients, which get
// their addresses.
func (f *Fleet) startMembers(ctx context.Context, spec *systems.Spec, n int, server bool) error {
	s := *spec
	if f.Entry.Kind != systems.Served || server {
		addrs, err := freeAddrs(2 * n)
		if err != nil {
			return err
		}
		s.Addrs, s.Gossip, s.Server = addrs[:n], addrs[n:], server
		spec.Addrs = s.Addrs
	}
	var started []*child
	for i := range n {
		c, err := startChild(fmt.Sprintf("%s, process %d", s.System, i))
		if err != nil {
			return err
		}
		f.children = append(f.children, c)
		started = append(started, c)
		s.Index = i
		if i == 0 && !s.HotCopies && f.Entry.Kind == systems.Mesh && !server {
			one := s
			one.CacheBytes = 0
			_, err = c.do(request{Start: &one})
		} else {
			_, err = c.do(request{Start: &s})
		}
		if err != nil {
			return err
		}
	}
	return ready(ctx, started)
}

const (
	readyPoll    = 20 * time.Millisecond
	readyTimeout = 30 * time.Second
)

// ready waits until every process says that it is.
func ready(ctx context.Context, children []*child) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for _, c := range children {
		for {
			rep, err := c.do(request{Ready: true})
			if err != nil {
				return err
			}
			if rep.Ready {
				break
			}
			select {
			case <-time.After(readyPoll):
			case <-ctx.Done():
				return fmt.Errorf("%s is not ready: %w", c.name, ctx.Err())
			}
		}
	}
	return nil
}

// startProgram starts a server program with the memory that the members of a
// mesh have together, and waits until it accepts connections.
func (f *Fleet) startProgram(ctx context.Context, spec *systems.Spec, bytes int64) error {
	addrs, err := freeAddrs(1)
	if err != nil {
		return err
	}
	spec.Addrs = addrs
	host, port, _ := net.SplitHostPort(addrs[0])
	c, err := startProgram(f.Entry.Program, programArgs(f.Entry.Program, host, port, bytes)...)
	if err != nil {
		return err
	}
	f.children = append(f.children, c)
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", addrs[0])
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(readyPoll):
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w %s", c.name, err, c.errors.String())
		}
	}
}

// programArgs returns the command line of a server program: nothing is written
// to disk, and the least recently used entries give way.
func programArgs(program, host, port string, bytes int64) []string {
	if program == "memcached" {
		args := []string{"-l", host, "-p", port, "-U", "0", "-m", strconv.FormatInt(max(bytes>>20, 64), 10), "-c", "4096"}
		if os.Geteuid() == 0 {
			args = append(args, "-u", "root")
		}
		return args
	}
	return []string{"--bind", host, "--port", port, "--save", "", "--appendonly", "no",
		"--maxmemory", strconv.FormatInt(bytes, 10), "--maxmemory-policy", "allkeys-lru", "--daemonize", "no"}
}

// freeAddrs returns ports of the loopback interface that were free a moment ago.
func freeAddrs(n int) ([]string, error) {
	addrs := make([]string, n)
	for i := range addrs {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addrs[i] = l.Addr().String()
	}
	return addrs, nil
}

// Stop ends all processes and waits for them.
func (f *Fleet) Stop() {
	var wg sync.WaitGroup
	// Clients first: they would complain about servers that are gone.
	for _, c := range slices.Backward(f.children) {
		wg.Go(c.stop)
	}
	wg.Wait()
}
