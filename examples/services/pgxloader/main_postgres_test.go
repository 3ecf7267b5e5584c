//go:build postgres

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestPostgres runs the program against the server of scripts/postgres-test.sh.
func TestPostgres(t *testing.T) {
	dsn := os.Getenv("CACHEMESH_POSTGRES_DSN")
	if dsn == "" {
		t.Fatal("CACHEMESH_POSTGRES_DSN is not set: run scripts/postgres-test.sh")
	}
	var out bytes.Buffer
	if err := run(t.Context(), &out, dsn); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	t.Log("\n" + out.String())
	lines := strings.Split(out.String(), "\n")
	for i, want := range []int{members, 0, 0} { // one per owner, then none
		if !strings.HasSuffix(lines[i], fmt.Sprintf(" %d queries", want)) {
			t.Errorf("%q, want %d queries", lines[i], want)
		}
	}
	var gets, on, queries int
	if _, err := fmt.Sscanf(lines[3], "%d single Gets at once on %d members: %d queries", &gets, &on, &queries); err != nil || queries > gets/10 {
		t.Errorf("%q: %v, want at most %d queries", lines[3], err, gets/10)
	}
}
