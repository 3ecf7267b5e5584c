package main

import (
	"testing"
	"time"
)

// A member whose parent was killed has nobody left who reads what it says; it hands over what it has all the same,
// and in time.
func TestOrphanHandsOver(t *testing.T) {
	once := append(anywhere, "--replicas", "1")
	stays := start(t, once...)
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	orphan, endParent := startChild(t, path, append(once, "--bootstrap", stays.mesh, "--require-join", "--exit-with-stdin")...)
	orphan.setKeys(t)
	began := time.Now()
	endParent()
	orphan.cmd.Wait()
	if code := orphan.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("it ended with %v", orphan.cmd.ProcessState)
	}
	t.Logf("gone after %v", time.Since(began).Round(time.Millisecond))
	stays.wantKeys(t)
}
