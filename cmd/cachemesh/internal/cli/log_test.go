package cli

import (
	"os"
	"syscall"
	"testing"
)

// A member whose log nobody reads leaves in order at a signal as any other does.
func TestMemberWhoseLogIsStuckLeaves(t *testing.T) {
	c := program("cachemesh", withoutParent...)
	write := stuckPipe(t)
	c.Stderr = write
	started(t, c)
	if err := fill(int(write.Fd())); err != nil {
		t.Fatal(err)
	}
	inTime(t, "a member whose log is stuck", func() {
		c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// Nor does one stay that has to say what went wrong.
func TestErrorThatNobodyTakes(t *testing.T) {
	c := program("cachemesh", "bogus")
	write := stuckPipe(t)
	c.Stderr = write
	if err := fill(int(write.Fd())); err != nil {
		t.Fatal(err)
	}
	c.Run()
	if code := c.ProcessState.ExitCode(); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
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
