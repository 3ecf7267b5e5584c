package ring

import (
	"fmt"
	"testing"
)

var sink int

func BenchmarkHash(b *testing.B) {
	seed := Seed("users")
	for _, size := range []int{4, 16, 64, 256} {
		key := string(make([]byte, size))
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			b.ReportAllocs()
			var h uint64
			for b.Loop() {
				h += Hash(seed, key)
			}
			sink = int(h)
		})
	}
}

// BenchmarkOwner looks up hashes from all over the circle, so it pays for the CPU cache misses of a large ring.
func BenchmarkOwner(b *testing.B) {
	for _, n := range []int{3, 10, 50, 100} {
		r := New(hostPorts(n))
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			var h uint64
			m := 0
			for b.Loop() {
				h += golden
				m += r.Owner(mix(h))
			}
			sink = m
		})
	}
}

// BenchmarkOwnerChained makes each look-up wait for the one before: its latency, where BenchmarkOwner lets the CPU overlap them.
func BenchmarkOwnerChained(b *testing.B) {
	for _, n := range []int{3, 10, 50, 100} {
		r := New(hostPorts(n))
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			var h uint64
			for b.Loop() {
				h = mix(h + golden + uint64(r.Owner(h)))
			}
			sink = int(h)
		})
	}
}

func BenchmarkSuccessors(b *testing.B) {
	r := New(hostPorts(100))
	for _, n := range []int{2, 3, 100} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]int, 0, 100)
			var h uint64
			for b.Loop() {
				h += golden
				dst = r.Successors(dst[:0], mix(h), n)
			}
			sink = len(dst)
		})
	}
}

// BenchmarkNew reports what one change of view costs, and the bytes a ring keeps.
func BenchmarkNew(b *testing.B) {
	for _, n := range []int{3, 10, 50, 100} {
		ids := hostPorts(n)
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			var r *Ring
			for b.Loop() {
				r = New(ids)
			}
			b.ReportMetric(float64(8*cap(r.table.packed)+4*cap(r.table.start)+cap(r.table.arcs)), "kept-B")
		})
	}
}

// BenchmarkPointsPerMember is the measurement behind pointsPerMember: the exact share of the busiest member over the mean,
// at its worst among the ways of naming members and 20 clusters of each.
func BenchmarkPointsPerMember(b *testing.B) {
	for _, n := range []int{3, 10, 50, 100} {
		for _, points := range []int{128, 512, 1024, 2048, pointsPerMember, 4096} {
			b.Run(fmt.Sprintf("members=%d/points=%d", n, points), func(b *testing.B) {
				var worst, sum float64
				rings := 0
				for b.Loop() {
					worst, sum, rings = 0, 0, 0
					for _, names := range namings {
						for cluster := range 20 {
							busiest, _ := spread(shares(build(names.ids(n, cluster), points)))
							worst = max(worst, busiest)
							sum += busiest
							rings++
						}
					}
				}
				b.ReportMetric(worst, "worst/mean")
				b.ReportMetric(sum/float64(rings), "average/mean")
			})
		}
	}
}
