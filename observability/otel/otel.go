// Package otel shows a CacheMesh node to OpenTelemetry:
//
//	registration, err := cmotel.Register(node, otel.GetMeterProvider())
//
// with this package imported as cmotel. The instruments are asynchronous: they read
// [cachemesh.AnyGroup.Stats] and [cachemesh.Node.Stats] when metrics are collected, so groups
// that are registered later appear and those that are closed go. They mean what the metrics of
// observability/prometheus do: cachemesh.gets is cachemesh_gets_total. Attributes are groups'
// names and a few fixed words, never keys.
//
// There are no asynchronous histograms, so of the times that loads and calls to peers take the
// total is shown, to be divided by their number.
package otel

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/praveenduddu/cachemesh"
)

// Scope is the name of the meter.
const Scope = "github.com/praveenduddu/cachemesh/observability/otel"

// Register makes the instruments of a node, which need not be started, and has them read until
// the registration is undone. Where one process has several nodes, give each a provider with a
// resource of its own. Errors are the provider's.
func Register(node *cachemesh.Node, provider metric.MeterProvider) (metric.Registration, error) {
	w := &watch{node: node, last: make(map[cachemesh.AnyGroup]remainders)}
	meter := provider.Meter(Scope)
	made := make(map[string]metric.Observable)
	var all []metric.Observable
	instrument := func(in spec) (metric.Observable, error) {
		if o := made[in.name]; o != nil {
			return o, nil
		}
		o, err := in.make(meter)
		if err != nil {
			return nil, fmt.Errorf("cachemesh: instrument %s: %w", in.name, err)
		}
		made[in.name] = o
		all = append(all, o)
		return o, nil
	}
	for _, n := range groupNumbers {
		o, err := instrument(n.spec)
		if err != nil {
			return nil, err
		}
		w.ofGroup = append(w.ofGroup, o)
	}
	for _, n := range nodeNumbers {
		o, err := instrument(n.spec)
		if err != nil {
			return nil, err
		}
		w.ofNode = append(w.ofNode, o)
	}
	for at, in := range map[*metric.Observable]spec{&w.mode: mode, &w.refused: refused, &w.badFrames: badFrames} {
		var err error
		if *at, err = instrument(in); err != nil {
			return nil, err
		}
	}
	return meter.RegisterCallback(w.observe, all...)
}

// A watch reads one node.
type watch struct {
	node                     *cachemesh.Node
	ofGroup, ofNode          []metric.Observable // by groupNumbers, nodeNumbers
	mode, refused, badFrames metric.Observable

	mu   sync.Mutex // guards last
	last map[cachemesh.AnyGroup]remainders
}

// observe is called when metrics are collected.
func (w *watch) observe(_ context.Context, to metric.Observer) error {
	groups := w.node.Groups()
	stats := make([]cachemesh.Stats, len(groups))
	for i, g := range groups {
		stats[i] = g.Stats()
	}
	for i, r := range w.remainders(groups, stats) {
		name := attribute.String("cachemesh.group", groups[i].Name())
		for j, n := range groupNumbers {
			put(to, w.ofGroup[j], n.value(&stats[i], &r), append(n.attributes, name)...)
		}
	}
	s := w.node.Stats()
	for i, n := range nodeNumbers {
		put(to, w.ofNode[i], n.value(&s), n.attributes...)
	}
	for _, m := range modes {
		put(to, w.mode, truth(s.Mode == m), attribute.String("cachemesh.mode", m))
	}
	for reason, n := range s.Refused {
		put(to, w.refused, float64(n), attribute.String("cachemesh.reason", reason))
	}
	for reason, n := range s.BadFrames {
		put(to, w.badFrames, float64(n), attribute.String("cachemesh.reason", reason))
	}
	return nil
}

func put(to metric.Observer, o metric.Observable, v float64, attributes ...attribute.KeyValue) {
	with := metric.WithAttributes(attributes...)
	switch o := o.(type) {
	case metric.Int64Observable:
		to.ObserveInt64(o, int64(v), with)
	case metric.Float64Observable:
		to.ObserveFloat64(o, v, with)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
