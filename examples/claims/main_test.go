package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The program is run as a user runs it.
func TestClaims(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	program := filepath.Join(t.TempDir(), "claims.exe")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(ctx, program).CombinedOutput()
	const want = "one loader ran, for 42\nall have it: user 42 <nil>\n" +
		"the claims are: won busy\nstored after a Delete: false - void: true\n"
	if err != nil || string(out) != want {
		t.Errorf("error %v, output\n%swant\n%s", err, out, want)
	}
}
