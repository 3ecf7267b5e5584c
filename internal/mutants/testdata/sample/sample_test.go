package sample

import "testing"

func TestClamp(t *testing.T) {
	for n, want := range map[int]int{-1: 0, 0: 0, 3: 3, 9: 5} {
		if got := Clamp(n, 5); got != want {
			t.Errorf("Clamp(%d) = %d, want %d", n, got, want)
		}
	}
}

func TestSum(t *testing.T) {
	if got := Sum([]int{1, 2}, nil); got != 3 {
		t.Errorf("Sum = %d", got)
	}
}
