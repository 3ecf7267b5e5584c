package work

import (
	"math"
	"math/rand/v2"
	"sort"
)

// Items makes n items with values of size bytes.
func Items(size, n int) []*Item {
	items := make([]*Item, n)
	for i := range items {
		items[i] = NewItem(size, i)
	}
	return items
}

// Shuffled returns the items in an order that the seed determines.
func Shuffled(items []*Item, seed uint64) []*Item {
	out := make([]*Item, len(items))
	for i, j := range rand.New(rand.NewPCG(seed, 1)).Perm(len(items)) {
		out[i] = items[j]
	}
	return out
}

// Zipf draws n ranks below keys, of which rank r has a weight of 1/(r+1)^skew.
// Unlike math/rand's it allows a skew of one and less.
func Zipf(keys, n int, skew float64, seed uint64) []int {
	sums := make([]float64, keys)
	var sum float64
	for i := range sums {
		sum += math.Pow(float64(i+1), -skew)
		sums[i] = sum
	}
	rng := rand.New(rand.NewPCG(seed, 2))
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = min(sort.SearchFloat64s(sums, rng.Float64()*sum), keys-1)
	}
	return ranks
}

// ZipfItems draws n of the items, the first ones most often. Which item is
// first depends on the seed of a shuffle that is the same in every process.
func ZipfItems(items []*Item, n int, skew float64, seed uint64) []*Item {
	byRank := Shuffled(items, 42)
	out := make([]*Item, n)
	for i, rank := range Zipf(len(items), n, skew, seed) {
		out[i] = byRank[rank]
	}
	return out
}
