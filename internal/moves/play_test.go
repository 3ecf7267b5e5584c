package main

import (
	"io"
	"log/slog"
	"testing"
)

// TestMoves plays the small form: no value is lost by a join and a leave, and a Shutdown
// that is cut off names what is missing.
func TestMoves(t *testing.T) {
	if err := play(200_000, 1, slog.New(slog.NewTextHandler(io.Discard, nil)), t.Logf); err != nil {
		t.Error(err)
	}
}
