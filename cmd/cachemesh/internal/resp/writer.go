package resp

import (
	"io"
	"math"
	"strconv"
	"strings"
)

// A Writer writes answers to a connection, in the version of the protocol that Proto says. It
// holds a buffer only between the first answer and Flush. What does not fit goes out at once,
// so the connection's reader sets the pace. Its error stays: later calls do nothing. It is
// not safe for concurrent use.
type Writer struct {
	Proto int  // 2 or 3
	Mute  bool // nothing is written

	dst    io.Writer
	budget *Budget
	pooled *[fullBuffer]byte
	small  [idleBuffer]byte
	buf    []byte // nil: nothing was written since Flush
	n      int    // bytes of buf that wait
	err    error
}

// NewWriter returns a writer to dst that speaks RESP2.
func NewWriter(dst io.Writer, budget *Budget) *Writer {
	return &Writer{Proto: 2, dst: dst, budget: budget}
}

// Buffered returns how many bytes wait for Flush.
func (w *Writer) Buffered() int { return w.n }

// Flush writes what is buffered.
func (w *Writer) Flush() error {
	if w.n > 0 {
		w.send(w.buf[:w.n])
	}
	if w.pooled != nil {
		w.budget.giveBuffer(w.pooled)
		w.pooled = nil
	}
	w.buf, w.n = nil, 0
	return w.err
}

func (w *Writer) send(b []byte) {
	if w.err == nil {
		_, w.err = w.dst.Write(b)
	}
}

// room returns where n bytes can be appended; n is at most idleBuffer. Where the budget has
// nothing left the buffer is small.
func (w *Writer) room(n int) []byte {
	if w.buf == nil {
		if w.pooled = w.budget.buffer(); w.pooled != nil {
			w.buf = w.pooled[:]
		} else {
			w.buf = w.small[:]
		}
	} else if w.n+n > len(w.buf) {
		w.send(w.buf[:w.n])
		w.n = 0
	}
	return w.buf[:w.n]
}

// raw writes bytes as they are.
func raw[T string | []byte](w *Writer, s T) {
	if w.Mute || w.err != nil {
		return
	}
	for len(s) > 0 {
		at := w.room(1)
		n := copy(w.buf[len(at):], s)
		w.n += n
		s = s[n:]
		if len(s) >= fullBuffer && w.n > 0 {
			w.send(w.buf[:w.n])
			w.n = 0
			w.send([]byte(s[:len(s)/fullBuffer*fullBuffer]))
			s = s[len(s)/fullBuffer*fullBuffer:]
		}
	}
}

// head writes a byte, a number and a line end.
func (w *Writer) head(kind byte, n int64) {
	if w.Mute || w.err != nil {
		return
	}
	b := append(w.room(32), kind)
	b = strconv.AppendInt(b, n, 10)
	w.n = len(append(b, '\r', '\n'))
}

// line writes a byte, a text without line ends and a line end.
func (w *Writer) line(kind byte, s string) {
	if w.Mute || w.err != nil {
		return
	}
	w.n = len(append(w.room(1), kind))
	raw(w, s)
	raw(w, "\r\n")
}

var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// Simple writes a status such as OK.
func (w *Writer) Simple(s string) { w.line('+', s) }

// Error writes an error: a word in capitals and a text. Line ends become spaces.
func (w *Writer) Error(s string) { w.line('-', oneLine.Replace(s)) }

// Int writes a number.
func (w *Writer) Int(n int64) { w.head(':', n) }

// Bulk writes bytes.
func (w *Writer) Bulk(b []byte) { bulk(w, b) }

// Text writes a text as Bulk does.
func (w *Writer) Text(s string) { bulk(w, s) }

func bulk[T string | []byte](w *Writer, b T) {
	w.head('$', int64(len(b)))
	raw(w, b)
	raw(w, "\r\n")
}

// Null writes that there is nothing.
func (w *Writer) Null() {
	if w.Proto == 3 {
		raw(w, "_\r\n")
	} else {
		raw(w, "$-1\r\n")
	}
}

// Array announces n answers that belong together.
func (w *Writer) Array(n int) { w.head('*', int64(n)) }

// Map announces n pairs of answers.
func (w *Writer) Map(n int) {
	if w.Proto == 3 {
		w.head('%', int64(n))
	} else {
		w.head('*', 2*int64(n))
	}
}

// Set announces n answers in no order.
func (w *Writer) Set(n int) {
	if w.Proto == 3 {
		w.head('~', int64(n))
	} else {
		w.head('*', int64(n))
	}
}

// Invalidate writes that a key has changed, "" for all keys, which a client takes in RESP3 between
// answers.
func (w *Writer) Invalidate(key string) {
	raw(w, ">2\r\n$10\r\ninvalidate\r\n")
	if key == "" {
		raw(w, "_\r\n")
		return
	}
	raw(w, "*1\r\n")
	w.Text(key)
}

// Double writes a number with a fraction.
func (w *Writer) Double(f float64) {
	s := strconv.FormatFloat(f, 'g', 17, 64)
	if math.IsInf(f, 0) {
		s = strings.ToLower(strings.TrimPrefix(s, "+"))
	}
	if w.Proto == 3 {
		w.line(',', s)
	} else {
		w.Text(s)
	}
}

// Verbatim writes a text for people.
func (w *Writer) Verbatim(s string) {
	if w.Proto != 3 {
		w.Text(s)
		return
	}
	w.head('=', int64(len(s)+4))
	raw(w, "txt:")
	raw(w, s)
	raw(w, "\r\n")
}
