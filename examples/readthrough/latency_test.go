package main

import (
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	for _, tc := range []struct {
		times []time.Duration
		q     float64
		want  time.Duration
	}{
		{nil, 0.5, 0},
		{[]time.Duration{7}, 0.5, 7},
		{[]time.Duration{7}, 0.99, 7},
		{[]time.Duration{1, 2, 3}, 0.5, 2},
		{[]time.Duration{1, 2, 3, 4}, 0.5, 2},
		{[]time.Duration{1, 2, 3, 4}, 1, 4},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred[:99], 0.99, 99},
		{hundred, 0, 1},
	} {
		if got := quantile(tc.times, tc.q); got != tc.want {
			t.Errorf("quantile(%v, %v) = %d, want %d", tc.times, tc.q, got, tc.want)
		}
	}
}

func TestKind(t *testing.T) {
	for _, tc := range []struct {
		l    lookup
		want kind
	}{
		{lookup{answered: "a", loadedBy: "a"}, ownHit},
		{lookup{answered: "a", loadedBy: "b"}, peerHit},
		{lookup{answered: "a", loadedBy: "b", loaded: true}, waited},
		{lookup{answered: "a", loadedBy: "a", loaded: true}, waited},
	} {
		if got := tc.l.kind(); got != tc.want {
			t.Errorf("%+v: %v, want %v", tc.l, got, tc.want)
		}
	}
}
