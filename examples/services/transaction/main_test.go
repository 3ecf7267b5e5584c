package main

import (
	"bytes"
	"regexp"
	"testing"
)

// TestNoOldAnswers runs the program: nobody serves what was there before a transfer that is
// over, also if its caller was gone, and a sweep makes up for a crash.
func TestNoOldAnswers(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out, 1200); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	t.Log("\n" + out.String())
	want := regexp.MustCompile(`^1200 transfers, and of [1-9]\d* the caller was gone before the answer: 0 old answers
an instance ended between COMMIT and Delete: 2 old answers, then another swept 2 keys: 0 old answers
$`)
	if !want.Match(out.Bytes()) {
		t.Errorf("the program says\n%swant\n%s", &out, want)
	}
}
