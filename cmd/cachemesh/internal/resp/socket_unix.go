//go:build unix

package resp

import (
	"io"
	"syscall"
)

// A socket is a connection of which one waits without a buffer: it takes one once there is
// something to read. So each read has room for all that came, and ten thousand connections
// that say nothing hold no buffers.
type socket struct {
	raw  syscall.RawConn // nil: it is none
	take func() []byte   // returns a buffer
	give func()          // takes it back
	try  func(fd uintptr) (done bool)
	n    int // what try brought
	err  error
}

// open makes s the socket of src, if that is one.
func (s *socket) open(src io.Reader, take func() []byte, give func()) {
	if conn, ok := src.(syscall.Conn); ok {
		s.raw, _ = conn.SyscallConn()
		s.take, s.give, s.try = take, give, s.tryRead
	}
}

func (s *socket) is() bool { return s.raw != nil }

// read waits for something to read, and reads it into the buffer that it has taken last.
func (s *socket) read() (n int, err error) {
	s.n, s.err = 0, nil
	if err := s.raw.Read(s.try); err != nil {
		s.give()
		return 0, err
	}
	if s.err == nil && s.n <= 0 {
		s.err = io.EOF
	}
	return max(s.n, 0), s.err
}

// tryRead reads what there is. It reports false if there is nothing, and is called again when
// there is something.
func (s *socket) tryRead(fd uintptr) (done bool) {
	b := s.take()
	for {
		s.n, s.err = syscall.Read(int(fd), b)
		switch s.err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			s.give()
			return false
		}
		return true
	}
}
