// Package metrics shows a member to Prometheus: what the library counts, what the program counts
// of its Redis clients, and the process.
package metrics

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/praveenduddu/cachemesh"
	cmprom "github.com/praveenduddu/cachemesh/observability/prometheus"
)

// Redis is what is counted of Redis clients.
type Redis struct {
	Clients                     int
	Accepted, Refused, Commands int64
}

const (
	atOnce  = 4 // scrapes
	timeout = 10 * time.Second
)

// Handler answers scrapes. redis is called for each.
func Handler(node *cachemesh.Node, version string, redis func() Redis, log *slog.Logger) http.Handler {
	all := prometheus.NewRegistry()
	all.MustRegister(cmprom.New(node), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, m := range []struct {
		name, help string
		counter    bool
		value      func(Redis) float64
	}{
		{"cachemesh_redis_clients", "Redis clients that are connected.", false, func(r Redis) float64 { return float64(r.Clients) }},
		{"cachemesh_redis_accepted_total", "Connections of Redis clients that were accepted.", true, func(r Redis) float64 { return float64(r.Accepted) }},
		{"cachemesh_redis_refused_total", "Connections of Redis clients that were refused, as there were too many.", true, func(r Redis) float64 { return float64(r.Refused) }},
		{"cachemesh_redis_commands_total", "Commands of Redis clients.", true, func(r Redis) float64 { return float64(r.Commands) }},
	} {
		value := func() float64 { return m.value(redis()) }
		if m.counter {
			all.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: m.name, Help: m.help}, value))
		} else {
			all.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: m.name, Help: m.help}, value))
		}
	}
	build := prometheus.GaugeOpts{Name: "cachemesh_build_info", Help: "The version of the program.", ConstLabels: prometheus.Labels{"version": version}}
	all.MustRegister(prometheus.NewGaugeFunc(build, func() float64 { return 1 }))
	return promhttp.HandlerFor(all, promhttp.HandlerOpts{
		MaxRequestsInFlight: atOnce, Timeout: timeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	})
}
