// Package resp reads what Redis clients send and writes what they are answered, in both
// versions of their protocol (https://redis.io/docs/latest/develop/reference/protocol-spec/).
//
// Nothing is allocated for a length that was only announced: buffers grow with what has
// arrived, within the limits of the Reader, and all Readers of a server share a Budget.
package resp

import (
	"errors"
	"fmt"
	"io"
)

const (
	idleBuffer = 512       // bytes that a connection keeps while it says nothing
	fullBuffer = 64 << 10  // bytes of a buffer from the pool
	maxLine    = 64 << 10  // bytes of an inline command
	maxHeader  = 32        // bytes of the line of a length
	perArg     = 32        // bytes that an argument takes besides its own
	maxKept    = 64 * 1024 // arguments whose table is kept for the next command
)

// A ProtocolError is what a client did wrong; the connection cannot go on.
type ProtocolError string

func (e ProtocolError) Error() string { return "Protocol error: " + string(e) }

// ErrBudget means that all connections together buffer as much as they may.
var ErrBudget = errors.New("resp: the clients' commands take all the memory they may")

// Limits bound a command. All are in force before anything is allocated.
type Limits struct {
	Args  int // arguments of a command
	Bulk  int // bytes of an argument
	Total int // bytes of a command with all its arguments
}

// A Reader reads commands from a connection. It is not safe for concurrent use.
type Reader struct {
	src    io.Reader
	socket socket // src, if that is a socket
	limits Limits
	budget *Budget

	small  [idleBuffer]byte
	pooled *[fullBuffer]byte // nil: buf is small, or one of its own
	owned  int               // bytes taken from the budget for a buffer of its own, and for args
	buf    []byte
	r, w   int // buf[r:w] is not consumed yet
	last   int // bytes that are expected of the next read, by those before it

	// The command that is being read. Offsets count from r.
	state state
	args  [][]byte
	table int // bytes taken from the budget for ends and args
}

// state is how far a command of several arguments is read.
type state struct {
	in    bool // its header is read
	left  int  // arguments that are still to come
	at    int  // where to go on
	bulk  int  // length of the argument at at, -1: its header is still to come
	spans []span
}

type span struct{ from, to int }

// NewReader returns a reader of src.
func NewReader(src io.Reader, limits Limits, budget *Budget) *Reader {
	r := &Reader{src: src, limits: limits, budget: budget}
	r.buf = r.small[:]
	r.socket.open(src, r.takeWide, r.drop)
	return r
}

// SetLimits changes the limits for the commands that follow.
func (r *Reader) SetLimits(l Limits) { r.limits = l }

// Fill waits for more from the connection. Arguments of former commands are void after it.
func (r *Reader) Fill() error {
	if r.socket.is() && r.r == r.w {
		var err error
		r.r = 0
		r.w, err = r.socket.read()
		return err
	}
	if err := r.room(); err != nil {
		return err
	}
	n, err := r.src.Read(r.buf[r.w:])
	r.w, r.last = r.w+n, max(n, r.last/2)
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// room makes room for what comes next: where nothing is buffered and little came of late,
// idleBuffer; a full buffer is exchanged for a larger one. The start of a command goes into
// the small one if it fits, for the rest may never come.
func (r *Reader) room() error {
	switch {
	case r.r == r.w:
		r.r, r.w = 0, 0
		wide := r.last >= idleBuffer/2
		if wide && r.pooled != nil || !wide && len(r.buf) == idleBuffer {
			return nil
		}
		if r.drop(); wide {
			r.widen()
		}
	case r.pooled != nil && r.w-r.r < idleBuffer/2:
		r.w = copy(r.small[:], r.buf[r.r:r.w])
		r.r = 0
		r.drop()
	case r.w < len(r.buf):
	case r.r > len(r.buf)/2 && len(r.buf) > idleBuffer:
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	default:
		return r.grow()
	}
	return nil
}

// takeWide returns the buffer for what comes next, of the pool if that has one.
func (r *Reader) takeWide() []byte {
	if r.pooled == nil {
		r.drop()
		r.widen()
	}
	return r.buf
}

// widen takes a buffer from the pool, if there is one, in place of an empty one.
func (r *Reader) widen() {
	if r.pooled = r.budget.buffer(); r.pooled != nil {
		r.buf = r.pooled[:]
	}
}

func (r *Reader) grow() error {
	if len(r.buf) == idleBuffer {
		pooled := r.budget.buffer()
		if pooled == nil {
			return ErrBudget
		}
		r.w = copy(pooled[:], r.buf[r.r:r.w])
		r.r, r.buf, r.pooled = 0, pooled[:], pooled
		return nil
	}
	size := 2 * len(r.buf)
	if !r.budget.Take(size) {
		return ErrBudget
	}
	next := make([]byte, size)
	r.w = copy(next, r.buf[r.r:r.w])
	r.r = 0
	r.drop()
	r.buf, r.owned = next, size
	return nil
}

// drop gives up the buffer for the small one.
func (r *Reader) drop() {
	r.buf = r.small[:]
	if r.pooled != nil {
		r.budget.giveBuffer(r.pooled)
		r.pooled = nil
	}
	r.budget.Give(r.owned)
	r.owned = 0
}

// Close gives back what the reader took. It does not close the connection.
func (r *Reader) Close() {
	r.drop()
	r.dropTable()
	r.r, r.w, r.state = 0, 0, state{}
}

// dropTable forgets the tables of arguments if they are large.
func (r *Reader) dropTable() {
	r.args, r.state.spans = nil, nil
	r.budget.Give(r.table)
	r.table = 0
}

// Next returns the next command if all of it has arrived, and ok false if not: then Fill. The
// arguments are in the Reader's buffer: they are void after the next call of Fill or Next. An
// error is a ProtocolError or ErrBudget; the connection is of no use after it.
func (r *Reader) Next() (args [][]byte, ok bool, err error) {
	if r.table > maxKept*perArg || r.table > 0 && len(r.args) > maxKept {
		r.dropTable()
	}
	for r.r < r.w {
		if !r.state.in && r.buf[r.r] != '*' {
			args, ok, err = r.inline()
		} else {
			args, ok, err = r.array()
		}
		if err != nil || !ok || len(args) > 0 {
			return args, ok, err
		}
	}
	return nil, false, nil
}

// array reads a command as clients send it: an array of bulk strings.
func (r *Reader) array() (args [][]byte, ok bool, err error) {
	s := &r.state
	if !s.in {
		n, end, ok, err := r.length(0, "invalid multibulk length", "too big mbulk count string")
		if !ok || err != nil {
			return nil, false, err
		}
		if n > int64(r.limits.Args) {
			return nil, false, ProtocolError("invalid multibulk length")
		}
		if n <= 0 {
			r.r += end
			return nil, true, nil
		}
		s.in, s.left, s.at, s.bulk, s.spans = true, int(n), end, -1, s.spans[:0]
	}
	for s.left > 0 {
		if ok, err := r.bulk(); !ok || err != nil {
			return nil, false, err
		}
	}
	r.args = r.args[:0]
	for _, sp := range s.spans {
		r.args = append(r.args, r.buf[r.r+sp.from:r.r+sp.to:r.r+sp.to])
	}
	r.r += s.at
	s.in = false
	return r.args, true, nil
}

// bulk reads one argument.
func (r *Reader) bulk() (ok bool, err error) {
	s := &r.state
	if s.bulk < 0 {
		if r.r+s.at >= r.w {
			return false, nil
		}
		if c := r.buf[r.r+s.at]; c != '$' {
			return false, ProtocolError(fmt.Sprintf("expected '$', got '%c'", printable(c)))
		}
		n, end, ok, err := r.length(s.at, "invalid bulk length", "too big bulk count string")
		if !ok || err != nil {
			return false, err
		}
		if n < 0 || n > int64(r.limits.Bulk) {
			return false, ProtocolError("invalid bulk length")
		}
		if int(n)+end+len(s.spans)*perArg > r.limits.Total {
			return false, ProtocolError("too large a command")
		}
		s.bulk, s.at = int(n), end
	}
	if r.r+s.at+s.bulk+2 > r.w {
		return false, nil
	}
	if cap(s.spans) == len(s.spans) && len(s.spans) >= 1024 {
		more := max(len(s.spans), 1024) * perArg
		if !r.budget.Take(more) {
			return false, ErrBudget
		}
		r.table += more
	}
	s.spans = append(s.spans, span{s.at, s.at + s.bulk})
	s.at += s.bulk + 2
	s.bulk = -1
	s.left--
	return true, nil
}
