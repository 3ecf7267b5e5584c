package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Size is a number of bytes, written as "64MiB", "64MB", "65536" or "64k".
type Size int64

var units = []struct {
	name string
	size int64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3},
	{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"B", 1},
}

// ParseSize reads a Size. Units are read in upper or lower case; "k", "m" and "g" alone are
// powers of 1024.
func ParseSize(s string) (Size, error) {
	number, unit := strings.TrimSpace(s), int64(1)
	for _, u := range units {
		if len(number) > len(u.name) && strings.EqualFold(number[len(number)-len(u.name):], u.name) {
			number, unit = strings.TrimSpace(number[:len(number)-len(u.name)]), u.size
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%q is no size: want a number of bytes, or one with KiB, MiB or GiB", s)
	}
	return Size(n * unit), nil
}

// String writes a size with the largest unit that divides it.
func (s Size) String() string {
	for _, u := range units[:3] {
		if s != 0 && int64(s)%u.size == 0 {
			return strconv.FormatInt(int64(s)/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// UnmarshalYAML reads a size from a number or a text.
func (s *Size) UnmarshalYAML(node *yaml.Node) (err error) {
	var text string
	if err := node.Decode(&text); err != nil {
		return err
	}
	if *s, err = ParseSize(text); err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads.
func (s Size) MarshalYAML() (any, error) { return s.String(), nil }
