package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The program is run as a user runs it. It needs the ports 3000 and 4000.
func TestQuickStart(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	program := filepath.Join(t.TempDir(), "quickstart.exe")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	ctx, cancel = context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program).CombinedOutput()
	const want = "Set 'hello' -> 'world' from Node 2\nGot 'hello' -> 'world' from Node 1\n"
	if err != nil || string(out) != want {
		t.Errorf("error %v, output\n%swant\n%s", err, out, want)
	}
}
