package prometheus_test

import (
	"log"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/praveenduddu/cachemesh"
	cmprom "github.com/praveenduddu/cachemesh/observability/prometheus"
)

// The metrics of a node and its groups, where Prometheus asks for them.
func Example() {
	node, err := cachemesh.New(cachemesh.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	prometheus.MustRegister(cmprom.New(node))
	http.Handle("/metrics", promhttp.Handler())
}
