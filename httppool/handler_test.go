package httppool_test

import (
	"net"
	"net/http"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestExternalServer mounts two members on servers of the user's own, behind
// middleware.
func TestExternalServer(t *testing.T) {
	m := &kit.Mesh{T: t}
	t.Cleanup(m.Close)
	for i := range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		kit.Must(t, err)
		o := m.Options(i, func(i int, o *cachemesh.Options) {
			if i < 2 {
				o.ListenAddr, o.AdvertiseAddr, o.ExternalServer = l.Addr().String(), l.Addr().String(), true
			}
		})
		if i == 2 {
			l.Close() // this one has a server of its own
		}
		n, err := cachemesh.New(o)
		kit.Must(t, err)
		m.Nodes = append(m.Nodes, n)
		if i < 2 {
			mux := http.NewServeMux()
			mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("fine")) })
			mux.Handle("/_cachemesh/", middleware(n.Handler()))
			server := &http.Server{Handler: mux}
			done := make(chan error, 1)
			go func() { done <- server.Serve(l) }()
			t.Cleanup(func() { server.Close(); <-done })
		}
	}
	m.Start()
	m.Settle(3)
	groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
	for owner := range 3 {
		key := m.KeyOf("g", owner)
		for _, g := range groups {
			kit.MustGet(t, g, key, "value of "+key)
		}
	}
	resp, err := http.Get("http://" + m.Nodes[0].Addr() + "/health")
	kit.Must(t, err)
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("the user's own handler: %s", resp.Status)
	}
	resp, err = http.Get("http://" + m.Nodes[0].Addr() + "/_cachemesh/peer")
	kit.Must(t, err)
	resp.Body.Close()
	if resp.StatusCode < 400 {
		t.Errorf("a plain GET of the peer path: %s", resp.Status)
	}
	http.DefaultClient.CloseIdleConnections()
}

// A wrapped writer, as logging middleware has.
type wrappedWriter struct{ http.ResponseWriter }

func (w wrappedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(wrappedWriter{w}, r) })
}
