package main

import (
	"bytes"
	"testing"
)

// TestTenAMinute runs the program: of requests at the same time, through three members, ten are
// allowed.
func TestTenAMinute(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	const want = `first minute: 10 of 90 requests of alice were allowed
first minute: 10 of 90 requests of bob were allowed
second minute: 10 of 90 requests of alice were allowed
second minute: 10 of 90 requests of bob were allowed
`
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
