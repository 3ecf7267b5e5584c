// Package prometheus shows a CacheMesh node to Prometheus:
//
//	prometheus.MustRegister(cmprom.New(node))
//
// with this package imported as cmprom. Everything comes from [cachemesh.AnyGroup.Stats] and
// [cachemesh.Node.Stats], and is read when it is scraped: groups that are registered later
// appear, those that are closed go. Labels are groups' names and a few fixed words, never keys.
//
// A member shows what it counted itself; sums over the mesh are Prometheus' affair. The default
// group, of Node.Get and Node.Set, has an empty name, which Prometheus takes for no label.
package prometheus

import (
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/praveenduddu/cachemesh"
)

// A Collector is a prometheus.Collector of one node. Its methods are called concurrently.
type Collector struct {
	node *cachemesh.Node

	mu   sync.Mutex // guards last
	last map[cachemesh.AnyGroup]remainders
}

// New returns a collector of a node, which need not be started. Where one process has several
// nodes, register each under a label of its own, by prometheus.WrapRegistererWith.
func New(node *cachemesh.Node) *Collector {
	return &Collector{node: node, last: make(map[cachemesh.AnyGroup]remainders)}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, m := range groupMetrics {
		descs <- m.desc
	}
	for _, m := range nodeMetrics {
		descs <- m.desc
	}
	for _, d := range []*prometheus.Desc{loadLatency, peerLatency, mode, refused, badFrames} {
		descs <- d
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	groups := c.node.Groups()
	stats := make([]cachemesh.Stats, len(groups))
	for i, g := range groups {
		stats[i] = g.Stats()
	}
	for i, r := range c.remainders(groups, stats) {
		collectGroup(out, label(groups[i].Name()), &stats[i], r)
	}
	s := c.node.Stats()
	for _, m := range nodeMetrics {
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&s), m.labels...)
	}
	for _, m := range modes {
		out <- prometheus.MustNewConstMetric(mode, gauge, truth(s.Mode == m), m)
	}
	byReason(out, refused, s.Refused)
	byReason(out, badFrames, s.BadFrames)
}

func collectGroup(out chan<- prometheus.Metric, name string, s *cachemesh.Stats, r remainders) {
	out <- prometheus.MustNewConstMetric(gets, counter, float64(r.misses), name, "miss")
	out <- prometheus.MustNewConstMetric(loads, counter, float64(r.loaded), name, "ok")
	out <- prometheus.MustNewConstMetric(peerRequests, counter, float64(r.answered), name, "ok")
	labels := [2]string{name}
	for _, m := range groupMetrics {
		labels[1] = m.label
		n := 1
		if m.label != "" {
			n = 2
		}
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(s), labels[:n]...)
	}
	out <- histogram(loadLatency, s.LoadLatency, name)
	out <- histogram(peerLatency, s.PeerLatency, name)
}

func histogram(d *prometheus.Desc, l cachemesh.Latency, labels ...string) prometheus.Metric {
	buckets := make(map[float64]uint64, 18)
	for bound, n := range l.Buckets() {
		buckets[bound.Seconds()] = n
	}
	return prometheus.MustNewConstHistogram(d, l.Count(), l.Sum.Seconds(), buckets, labels...)
}

func byReason(out chan<- prometheus.Metric, d *prometheus.Desc, counts map[string]uint64) {
	for reason, n := range counts {
		out <- prometheus.MustNewConstMetric(d, counter, float64(n), reason)
	}
}

// label returns a group's name as a label's value, which must be UTF-8.
func label(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	return fmt.Sprintf("%q", name)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
