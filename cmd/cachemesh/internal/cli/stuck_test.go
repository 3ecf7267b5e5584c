package cli

import (
	"bufio"
	"os"
	"strings"
	"syscall"
	"testing"
)

// A member does not outlive its parent whose log nobody reads, though another process has that open: it leaves in order.
func TestMemberWhoseLogIsStuckEndsWithItsParent(t *testing.T) {
	c := program("cachemesh", alone...)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	write := stuckPipe(t)
	c.Stderr = write
	started(t, c)
	if err := fill(int(write.Fd())); err != nil {
		t.Fatal(err)
	}
	inTime(t, "a member whose log is stuck", func() {
		in.Close()
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// Nor one of which nobody took what it said when it was ready.
func TestMemberThatNobodyHeardEndsWithItsParent(t *testing.T) {
	c := program("cachemesh", alone...)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	write := stuckPipe(t)
	if err := fill(int(write.Fd())); err != nil {
		t.Fatal(err)
	}
	c.Stdout = write
	log, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewReader(log); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, "this member is ready") {
			break
		}
	}
	inTime(t, "a member that nobody heard", func() {
		in.Close()
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// fill writes to a pipe as much as it takes without a reader.
func fill(pipe int) error {
	if err := syscall.SetNonblock(pipe, true); err != nil {
		return err
	}
	for _, size := range []int{4096, 1} {
		for {
			if _, err := syscall.Write(pipe, make([]byte, size)); err == syscall.EAGAIN {
				break
			} else if err != nil {
				return err
			}
		}
	}
	return syscall.SetNonblock(pipe, false)
}

// stuckPipe returns a pipe that nobody reads, though it is open at both ends.
func stuckPipe(t *testing.T) (write *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close(); write.Close() })
	return write
}
