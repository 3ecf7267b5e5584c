package house_test

import (
	"os"
	"strings"
	"testing"
)

// TestFrontPageNumbers: a number that README.md names is that of the code, or of the report that measured it.
// Who changes one of the two changes both.
func TestFrontPageNumbers(t *testing.T) {
	atRoot(t)
	for _, n := range []struct{ said, file, stands string }{
		{"nothing older than `MaxStale`, 10 s", "check.go", "setDefault(&o.MaxStale, 10*time.Second)"},
		{"four thirds of a lease (1 s)", "check.go", "setDefault(&o.Lease, time.Second)"},
		{"3 s for keys of a member that crashed", "check.go", "setDefault(&o.Right, min(3*time.Second, o.MaxStale))"},
		{"`ForgetAfter` (15 min)", "check.go", "setDefault(&o.ForgetAfter, 15*time.Minute)"},
		{"`MaxValueBytes` (16 MiB)", "check.go", "setDefault(&o.MaxValueBytes, 16<<20)"},
		{"`MaxBytes`, 64 MiB unless `TotalBytes`", "newgroup.go", "setDefault(&o.MaxBytes, 64<<20)"},
		{"| a key | 1 to 4096 bytes |", "internal/wire/call.go", "MaxKeyLen   = 4096"},
		{"| tags of a value | 64 |", "internal/labels/label.go", "MaxTags   = 64"},
		{"measured in one process up to 50", "internal/settle/fifty_test.go", "const members, rows = 50, 100"},
		{"24 323 real places", "examples/readthrough/place_test.go", "24_323"},
		{"with Go 1.26", "go.mod", "\ngo 1.26"},
		{"speak `cachemesh/1`", "httppool/handshake.go", `protocol   = "cachemesh/1"`},
		{"| 0 | 529 170 | 17 471 | 1 345 | 2 602 | 7 659 |", "docs/comparison.md", "| 529 170 | 17 471 | 1 345 | 2 602 | 7 659 | 14 553 |"},
		{"| 1 | 1.6× | 1.5× | 11× | 3.5× | 1.2× |", "bench/RESULTS.md", "| CacheMesh | 1 | 285 k |"},
		{"| 88 %; 140 µs |", "bench/RESULTS.md", "| this | CacheMesh | 1 | 1 | 0.00 | 87.8 % | 140 µs | 692 µs |"},
		{"| 1 | 10.5× | 10.5× | 5.8× | 2.5× |", "docs/comparison.md", "| 10.5× | 10.5× | 5.8× | 2.5× | 4.9× | 4.2× |"},
		{"65 to 97 ns and allocates nothing: 2.2×", "docs/comparison.md", "65 ns (of 100 keys) to 97 ns (of 10 000) without allocation, 2.2×"},
	} {
		if !strings.Contains(text(t, "README.md"), n.said) {
			t.Errorf("README.md does not say %q any more: then this test need not hold it to %s", n.said, n.file)
		}
		if !strings.Contains(text(t, n.file), n.stands) {
			t.Errorf("README.md says %q, but %s has no %q", n.said, n.file, n.stands)
		}
	}
}

func text(t *testing.T, file string) string {
	b, err := os.ReadFile(file)
	must(t, err)
	return string(b)
}
