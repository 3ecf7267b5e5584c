package cli

import (
	"strings"
	"syscall"
	"testing"
	"time"
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
	c.Process.Signal(syscall.SIGTERM)
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// Lines that nobody wants take no places of those that wait for a log that is slow.
func TestLinesBelowTheLevelTakeNoPlaces(t *testing.T) {
	said := &slowWriter{free: make(chan struct{})}
	log, end := (&shell{err: said}).logger(local())
	log.Info("one")
	for range 300 {
		log.With("a", 1).WithGroup("g").Debug("nobody wants this")
	}
	log.Error("two")
	close(said.free)
	end(time.Minute)
	if got := said.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "two") {
		t.Error(got)
	}
}

// slowWriter takes nothing until it is free.
type slowWriter struct {
	free chan struct{}
	strings.Builder
}

func (w *slowWriter) Write(b []byte) (int, error) {
	<-w.free
	return w.Builder.Write(b)
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
