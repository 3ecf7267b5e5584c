// Package load asks a member for keys as its Redis clients would, as fast as it answers, and says
// how long that took.
package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what is asked for.
type Options struct {
	Addr     string // host:port, or the path of a Unix socket
	Password string // "": none
	Prefix   string // of the keys
	Clients  int    // at once
	Requests int    // all together; 0: until Duration is over
	Duration time.Duration
	Keys     int     // how many there are
	Size     int     // bytes of a value
	Reads    float64 // part of the requests that are GETs; the others are SETs
	Pipeline int     // requests that a client sends at once
}

// Check says what of the options makes no sense.
func (o Options) Check() error {
	switch {
	case o.Clients < 1 || o.Clients > 10000:
		return errors.New("--clients is from 1 to 10000")
	case o.Requests < 0 || o.Duration < 0 || o.Requests == 0 && o.Duration == 0:
		return errors.New("--requests or --for must be positive")
	case o.Keys < 1 || o.Size < 0 || o.Size > 64<<20:
		return errors.New("--keys is positive, and --size from 0 to 64 MiB")
	case !(o.Reads >= 0 && o.Reads <= 1):
		return errors.New("--reads is from 0 to 1")
	case o.Pipeline < 1 || o.Pipeline > 1000:
		return errors.New("--pipeline is from 1 to 1000")
	}
	return nil
}

// Result is what came of it.
type Result struct {
	Took   time.Duration
	Reads  Times
	Writes Times
	Hits   int // of Reads
	Errors int // answers that were errors
	Error  string
}

// Run asks until all requests are made, the time is over or ctx ends, and then for what is under
// way. Errors: that a client cannot connect, or loses its connection.
func Run(ctx context.Context, o Options) (all Result, err error) {
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.Duration > 0 {
		run, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	var left atomic.Int64
	left.Store(int64(o.Requests))
	results, failed := make([]Result, o.Clients), make([]error, o.Clients)
	begin := time.Now()
	var clients sync.WaitGroup
	for i := range o.Clients {
		clients.Go(func() {
			if failed[i] = results[i].ask(run, o, &left); failed[i] != nil {
				cancel()
			}
		})
	}
	clients.Wait()
	for i := range results {
		all.add(&results[i])
	}
	all.Took = time.Since(begin)
	for _, err := range failed {
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

func (r *Result) add(o *Result) {
	r.Reads.add(&o.Reads)
	r.Writes.add(&o.Writes)
	r.Hits += o.Hits
	r.Errors += o.Errors
	if r.Error == "" {
		r.Error = o.Error
	}
}

// connectTime and answerTime bound how long a member may take.
const (
	connectTime = 5 * time.Second
	answerTime  = 30 * time.Second
)

// ask is what one client does.
func (r *Result) ask(ctx context.Context, o Options, left *atomic.Int64) error {
	network := "tcp"
	if _, _, err := net.SplitHostPort(o.Addr); err != nil {
		network = "unix"
	}
	d := net.Dialer{Timeout: connectTime}
	nc, err := d.DialContext(ctx, network, o.Addr)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(answerTime))
	in, out := bufio.NewReaderSize(nc, 64<<10), bufio.NewWriterSize(nc, 64<<10)
	if o.Password != "" {
		write(out, "AUTH", o.Password)
		if err := out.Flush(); err != nil {
			return err
		}
		if _, err := answer(in); err != nil {
			return err
		}
	}
	value := string(make([]byte, o.Size))
	reads := make([]bool, o.Pipeline)
	for ctx.Err() == nil {
		n := o.Pipeline
		if o.Requests > 0 {
			if n = min(n, int(left.Add(int64(-n)))+n); n <= 0 {
				return nil
			}
		}
		for i := range n {
			key := o.Prefix + strconv.Itoa(rand.IntN(o.Keys))
			if reads[i] = rand.Float64() < o.Reads; reads[i] {
				write(out, "GET", key)
			} else {
				write(out, "SET", key, value)
			}
		}
		nc.SetDeadline(time.Now().Add(answerTime))
		begin := time.Now()
		if err := out.Flush(); err != nil {
			return err
		}
		for _, read := range reads[:n] {
			if err := r.note(in, read, begin); err != nil {
				return err
			}
		}
	}
	return nil
}

// note reads an answer and notes how long it took since its request was sent.
func (r *Result) note(in *bufio.Reader, read bool, begin time.Time) error {
	found, err := answer(in)
	took := time.Since(begin)
	var said memberError
	switch {
	case errors.As(err, &said):
		r.Errors++
		r.Error = string(said)
	case err != nil:
		return err
	case read:
		r.Reads.note(took)
		if found {
			r.Hits++
		}
	default:
		r.Writes.note(took)
	}
	return nil
}

// write writes a command.
func write(w *bufio.Writer, args ...string) {
	fmt.Fprintf(w, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(w, "$%d\r\n", len(arg))
		w.WriteString(arg)
		w.WriteString("\r\n")
	}
}

// A memberError is an error that a member answered with.
type memberError string

func (e memberError) Error() string { return string(e) }

// answer reads an answer of a line or of bytes, and reports whether it was not nil. Errors:
// memberError, and those of the connection.
func answer(in *bufio.Reader) (found bool, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return false, err
	}
	if len(line) < 3 {
		return false, errors.New("what answers does not speak Redis' protocol")
	}
	text := string(line[1 : len(line)-2])
	switch line[0] {
	case '+', ':':
		return true, nil
	case '-':
		return false, memberError(text)
	case '$':
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return false, err
		}
		_, err = io.CopyN(io.Discard, in, int64(n)+2)
		return true, err
	}
	return false, errors.New("what answers does not speak Redis' protocol")
}
