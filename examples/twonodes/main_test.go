package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The program is run as a user runs it, many times: it waits for nothing by chance.
func TestTwoNodes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	program := filepath.Join(t.TempDir(), "twonodes.exe")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	const want = "Set 'hello' -> 'world' from Node 2\nGot 'hello' -> 'world' from Node 1\n"
	for range 10 {
		out, err := exec.CommandContext(ctx, program).CombinedOutput()
		if err != nil || string(out) != want {
			t.Fatalf("error %v, output\n%swant\n%s", err, out, want)
		}
	}
}
