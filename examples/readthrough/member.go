package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// memberEnv holds a memberConfig as JSON in the environment of a process that
// shall be a member.
const memberEnv = "CACHEMESH_READTHROUGH_MEMBER"

// A memberConfig is what a member must know: little more than its database and
// one other member.
type memberConfig struct {
	Name      string
	DSN       string
	Bootstrap []string // a member to join; none for the first
	TempDir   string   // to be removed if the parent dies; empty: none
}

// A ready line, as JSON on standard output, says that the member serves.
type ready struct {
	HTTP string // host:port of the service
	Peer string // host:port of the mesh
}

const (
	placeTTL = 10 * time.Minute
	stopWord = "stop" // on standard input; its end without this word means that the parent died
	stopTime = 5 * time.Second
)

// runMember is the service: it runs until the parent says stop or dies. It
// returns the exit code of the process.
func runMember(config string) int {
	// Ctrl-C reaches the whole process group, but the parent decides when to stop;
	// and a parent that died must not take the clearing up with it.
	signal.Ignore(os.Interrupt, syscall.SIGHUP, syscall.SIGPIPE)
	var c memberConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		fmt.Fprintln(os.Stderr, "readthrough member:", err)
		return 1
	}
	parent := watchParent(os.Stdin)
	code := 0
	if err := c.serve(parent, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "readthrough %s: %v\n", c.Name, err)
		code = 1
	}
	if parent.died() && c.TempDir != "" {
		os.RemoveAll(c.TempDir)
	}
	return code
}

// A parentWatch follows the life line to the parent.
type parentWatch struct {
	gone    chan struct{} // closed when the parent said stop or died
	stopped bool          // it said stop; to be read after gone
}

// watchParent reads the life line. Its goroutine ends with the line, and so with
// this process at the latest.
func watchParent(in io.Reader) *parentWatch {
	w := &parentWatch{gone: make(chan struct{})}
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n')
		w.stopped = line == stopWord+"\n"
		close(w.gone)
	}()
	return w
}

func (w *parentWatch) died() bool {
	select {
	case <-w.gone:
		return !w.stopped
	default:
		return false
	}
}

// serve opens the parts from the database up, says that it is ready, and closes
// them from the front down once the parent is gone.
func (c memberConfig) serve(parent *parentWatch, out io.Writer) error {
	ctx := context.Background()
	o, err := openOrigin(ctx, c.DSN)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.prepare(ctx); err != nil {
		return err
	}
	node, err := cachemesh.New(cachemesh.Options{
		Name:           c.Name,
		BootstrapNodes: c.Bootstrap,
		RequireJoin:    true,
		Logger:         slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	s, err := newService(c.Name, o, node)
	if err != nil {
		node.Close()
		return err
	}
	if err := node.Start(); err != nil {
		return err
	}
	err = s.listen(parent, out)
	stop, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	return errors.Join(err, node.Shutdown(stop))
}

// newService registers the service's two groups with the node.
func newService(name string, o *origin, node *cachemesh.Node) (*service, error) {
	s := &service{name: name, origin: o, node: node}
	var err error
	s.places, err = cachemesh.NewGroup(node, "places", s.load, cachemesh.GroupOptions[cachedPlace]{TTL: placeTTL})
	if err != nil {
		return nil, err
	}
	s.notes, err = cachemesh.NewGroup[string](node, "notes", nil, cachemesh.GroupOptions[string]{TTL: placeTTL})
	return s, err
}

// load is the loader of the group "places". It runs on the member that owns the
// key, for all members.
func (s *service) load(ctx context.Context, key string) (cachedPlace, error) {
	id, err := strconv.ParseInt(key, 10, 64)
	if err != nil {
		return cachedPlace{}, fmt.Errorf("key %q is no id: %w", key, err)
	}
	p, err := s.origin.place(ctx, id)
	if errors.Is(err, errNoRow) {
		return cachedPlace{}, cachemesh.ErrNotFound
	}
	return cachedPlace{Place: p, LoadedBy: s.name, LoadedAt: time.Now().UnixNano()}, err
}

// listen serves HTTP on a free port until the parent is gone.
func (s *service) listen(parent *parentWatch, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s.routes(), ReadHeaderTimeout: originTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	err = json.NewEncoder(out).Encode(ready{HTTP: listener.Addr().String(), Peer: s.node.Addr()})
	if err == nil {
		<-parent.gone
	}
	stop, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	err = errors.Join(err, server.Shutdown(stop))
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}
