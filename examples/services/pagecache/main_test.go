package main

import (
	"bytes"
	"testing"
)

// TestEachChangeRendersItsPages runs the program: three tenants have thirty articles and ten lists
// each.
func TestEachChangeRendersItsPages(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	const want = `first visit of everything                 120 pages rendered
second visit                                0 pages rendered
after the article template changed         90 pages rendered
after acme changed its logo                40 pages rendered
globex, its lists deleted                  30 pages left
`
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
