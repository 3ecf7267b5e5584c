// Package sample has one function that its test knows well, and one that it does not.
package sample

// Clamp returns n, at most most, and 0 instead of what is negative.
func Clamp(n, most int) int {
	if n < 0 {
		return 0
	}
	return min(n, most)
}

// Sum adds what is not skipped.
func Sum(list []int, skip func(int) bool) (sum int) {
	for _, n := range list {
		if skip != nil && skip(n) {
			continue
		}
		sum += n
	}
	return sum
}

// Unknown is not tested.
func Unknown(n int) int { return n + 1 }
