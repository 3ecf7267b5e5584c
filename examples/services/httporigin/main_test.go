package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// TestCacheControlDecides runs the program and reads from its table how often the
// origin was asked.
func TestCacheControlDecides(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	t.Log("\n" + out.String())
	var gets int
	if _, err := fmt.Sscanf(out.String(), "%d Gets", &gets); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct{ least, most int }{
		"/about":   {1, 1},
		"/shared":  {1, 1},
		"/missing": {1, 1},
		"/prices":  {2, 6}, // 2.5 s, or more on a slow machine, at most once in a second
		"/account": {gets, gets},
	} {
		found := regexp.MustCompile(`(?m)^` + path + ` .* (\d+)$`).FindStringSubmatch(out.String())
		if found == nil {
			t.Fatalf("%s is missing", path)
		}
		if n, _ := strconv.Atoi(found[1]); n < want.least || n > want.most {
			t.Errorf("%s was asked for %d times, want %d to %d", path, n, want.least, want.most)
		}
	}
}

func TestLifetime(t *testing.T) {
	for _, test := range []struct {
		header    string
		age, want time.Duration
	}{
		{"", 0, -1},
		{"public", 0, -1},
		{"max-age=60", 0, time.Minute},
		{"Max-Age=60, public", 10 * time.Second, 50 * time.Second},
		{"max-age=60", time.Minute, -1},
		{"max-age=60, s-maxage=10", 0, 10 * time.Second},
		{"s-maxage=10, max-age=60", 0, 10 * time.Second},
		{`max-age="60"`, 0, time.Minute},
		{"max-age=60, no-store", 0, -1},
		{"no-cache", 0, -1},
		{"private, max-age=60", 0, -1},
		{"max-age=many", 0, -1},
		{"max-age=-1", 0, -1},
		{"max-age=99999999999", 0, 365 * 24 * time.Hour},
	} {
		if got := lifetime(test.header, test.age); got != test.want {
			t.Errorf("lifetime(%q, %v) = %v, want %v", test.header, test.age, got, test.want)
		}
	}
}
