package main

import (
	"fmt"
	"os"
	"time"
)

// A screen is where the demonstration reports. On a terminal a line of progress
// is rewritten in place, elsewhere only its last state is printed. It is used by
// one goroutine.
type screen struct {
	out  *os.File
	live bool
}

func newScreen(out *os.File) *screen {
	info, err := out.Stat()
	return &screen{out: out, live: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (s *screen) printf(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

const (
	clearLine    = "\r\x1b[K"
	progressTick = 100 * time.Millisecond
	progressLine = 2 * time.Second // between lines where they cannot be rewritten
)

// during runs work and shows its progress until it is done.
func (s *screen) during(title string, progress func() string, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	every := progressLine
	if s.live {
		every = progressTick
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if s.live {
				fmt.Fprint(s.out, clearLine)
			}
			if err == nil {
				s.printf("%s: %s", title, progress())
			}
			return err
		case <-tick.C:
			if s.live {
				fmt.Fprintf(s.out, "%s%s: %s", clearLine, title, progress())
			} else {
				s.printf("%s: %s", title, progress())
			}
		}
	}
}

// thousands writes a number in groups of three digits.
func thousands(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return digits
}
