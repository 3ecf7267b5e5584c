package work

import (
	"errors"
	"testing"
)

func TestItemsKnowTheirValues(t *testing.T) {
	for _, size := range []int{0, 17, 18, 128, 4096} {
		it := NewItem(size, 12)
		parsed, err := ParseKey(it.Key)
		if err != nil || *parsed != *it && size >= headerSize {
			t.Fatalf("ParseKey(%q) = %+v, %v, want %+v", it.Key, parsed, err, it)
		}
		value := it.Value(3, 77)
		h, err := it.Check(value)
		if want := (Header{From: 3, Version: 77}); err != nil || h != want {
			t.Errorf("size %d: header %+v, %v, want %+v", size, h, err, want)
		}
		for name, wrong := range map[string][]byte{
			"none": nil, "short": value[:len(value)-1], "another item's": NewItem(size, 13).Value(3, 77),
		} {
			if _, err := it.Check(wrong); !errors.Is(err, ErrWrongValue) {
				t.Errorf("size %d, %s: %v, want ErrWrongValue", size, name, err)
			}
		}
	}
}

func TestParseKeyRejectsOthers(t *testing.T) {
	for _, key := range []string{"", "s12", "sx:00000001", "s12:x", "s12:123456789"} {
		if it, err := ParseKey(key); err == nil {
			t.Errorf("ParseKey(%q) = %+v, want an error", key, it)
		}
	}
}

func TestZipfFollowsItsLaw(t *testing.T) {
	const keys, draws = 1000, 200_000
	counts := make([]float64, keys)
	for _, rank := range Zipf(keys, draws, 0.99, 5) {
		counts[rank]++
	}
	// The first rank is drawn about 2^0.99 times as often as the second and
	// 10^0.99 times as often as the tenth.
	if r := counts[0] / counts[1]; r < 1.8 || r > 2.2 {
		t.Errorf("first to second: %.2f, want about 1.99", r)
	}
	if r := counts[0] / counts[9]; r < 8.5 || r > 11.5 {
		t.Errorf("first to tenth: %.2f, want about 9.77", r)
	}
}
