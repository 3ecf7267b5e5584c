package timer

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A Timer is one of the kernel's, which the runtime waits for as for a
// connection, without rounding. It is used by one goroutine at a time.
type Timer struct {
	fd   int
	file *os.File
}

// New makes a timer. It must be closed.
func New() (*Timer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	return &Timer{fd, os.NewFile(uintptr(fd), "timer")}, nil
}

// Until waits until a point in time, which must have a monotonic reading. It
// returns at once if that is past.
func (t *Timer) Until(at time.Time) {
	var expired [8]byte
	for left := time.Until(at); left > 0; left = time.Until(at) {
		spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(left))}
		err := unix.TimerfdSettime(t.fd, 0, &spec, nil)
		if err == nil {
			_, err = t.file.Read(expired[:])
		}
		if err != nil {
			time.Sleep(time.Until(at))
		}
	}
}

// Close frees the timer.
func (t *Timer) Close() error { return t.file.Close() }
