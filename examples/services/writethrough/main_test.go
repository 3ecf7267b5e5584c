package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestCacheAndTableStayEqual runs the program: 10 000 operations from three
// members, and a comparison whenever all are done.
func TestCacheAndTableStayEqual(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out, 10_000); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	t.Log("\n" + out.String())
	if n := strings.Count(out.String(), "see the same"); n != rounds {
		t.Errorf("%d comparisons, want %d", n, rounds)
	}
	if !strings.Contains(out.String(), "10000 operations so far") {
		t.Error("not all operations were made")
	}
}
