package main

import (
	"fmt"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
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
	writer := goredis.NewClient(&goredis.Options{Addr: orphan.redis})
	defer writer.Close()
	const keys = 500
	for i := range keys {
		if err := writer.Set(t.Context(), fmt.Sprint("k", i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	endParent()
	orphan.cmd.Wait()
	if code := orphan.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("it ended with %v", orphan.cmd.ProcessState)
	}
	t.Logf("gone after %v", time.Since(began).Round(time.Millisecond))
	reader := goredis.NewClient(&goredis.Options{Addr: stays.redis})
	defer reader.Close()
	for i := range keys {
		if v, err := reader.Get(t.Context(), fmt.Sprint("k", i)).Int(); v != i || err != nil {
			t.Fatalf("k%d after the other left: %d, %v", i, v, err)
		}
	}
}
