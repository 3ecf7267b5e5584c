// Package httpapi answers HTTP clients: the values of groups, what this member knows of the
// mesh, and whether it is well. Bodies of values are bytes as they are; all else is JSON, and
// errors are problems as RFC 9457 has them.
package httpapi

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/netutil"
)

// NewServer returns a server that serves nobody yet.
func NewServer(o Options) *Server {
	s := &Server{o: o}
	s.staying, s.leave = context.WithCancel(context.Background())
	s.bodies.Store(max(mostBodies, 2*int64(o.MaxValue)))
	s.inner = &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	return s
}

// Serve serves until Shutdown or Close, which is no error.
func (s *Server) Serve(l net.Listener) error {
	if err := s.inner.Serve(netutil.LimitListener(l, cmp.Or(s.o.MaxConns, MostConns))); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown lets requests end; if ctx ends first they are broken off.
func (s *Server) Shutdown(ctx context.Context) error {
	s.leave()
	err := s.inner.Shutdown(ctx)
	if err != nil {
		s.inner.Close()
	}
	return err
}

// Close breaks off all requests.
func (s *Server) Close() {
	s.leave()
	s.inner.Close()
}

// A route is a part of the API, and what of it the page of the API describes, as "GET /path".
type route struct {
	pattern string
	handle  http.HandlerFunc
	says    []string // nil: the pattern
}

func (s *Server) routes() []route {
	return []route{
		{"GET /v1/groups/{group}/keys/{key}", s.get, nil}, // and HEAD
		{"PUT /v1/groups/{group}/keys/{key}", s.put, nil},
		{"DELETE /v1/groups/{group}/keys/{key}", s.delete, nil},
		{"GET /v1/groups/{group}/keys/{key}/owner", s.owner, nil},
		{"POST /v1/groups/{group}/keys/{key}/{what}", s.endClaim, []string{
			"POST /v1/groups/{group}/keys/{key}/claim:notFound", "POST /v1/groups/{group}/keys/{key}/claim:fail",
			"POST /v1/groups/{group}/keys/{key}/claim:extend", "POST /v1/groups/{group}/keys/{key}/claim:release"}},
		{"POST /v1/groups/{action}", s.action, []string{"POST /v1/groups/{group}:getMany", "POST /v1/groups/{group}:clear"}},
		{"GET /v1/groups", s.groups, nil},
		{"GET /v1/groups/{group}", s.group, nil},
		{"GET /v1/members", s.members, nil},
		{"GET /v1/stats", s.stats, nil},
		{"GET /metrics", s.metrics, nil},
	}
}

// open are the routes that need no token.
func (s *Server) open() []route {
	return []route{
		{"GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]string{"status": "alive"}) }, nil},
		{"GET /readyz", s.readyz, nil},
		{"GET /openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/yaml")
			w.Write(description)
		}, nil},
	}
}

// description is the page of the API.
//
//go:embed openapi.yaml
var description []byte

// ofDashboard are the paths of the dashboard.
var ofDashboard = []string{"{$}", "members", "groups", "group", "key", "events", "stream", "style.css", "dash.js"}

// Handler returns the API, with what there is of the metrics and the dashboard. /livez and /readyz
// need no token. A browser may say the token to the dashboard as a password.
func (s *Server) Handler() http.Handler {
	api, board, all := http.NewServeMux(), http.NewServeMux(), http.NewServeMux()
	for _, r := range s.routes() {
		api.HandleFunc(r.pattern, r.handle)
	}
	api.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if allowed := methodsOf(r, api, all); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			problem(w, http.StatusMethodNotAllowed, "there is no "+r.Method+" "+r.URL.Path)
			return
		}
		problem(w, http.StatusNotFound, "there is no "+r.Method+" "+r.URL.Path)
	})
	for _, r := range s.open() {
		all.Handle(r.pattern, s.brief(r.handle))
	}
	all.Handle("/", s.guard(api, false))
	if s.o.Dashboard != nil {
		board.Handle("/", s.o.Dashboard)
		for _, path := range ofDashboard {
			all.Handle("GET /"+path, s.guard(board, true))
		}
	}
	return straight(all)
}

// straight turns away paths that a ServeMux would lead elsewhere: of "keys//k" a client that follows would write
// the key "k".
func straight(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := r.URL.EscapedPath()
		clean := path.Clean(at)
		if strings.HasSuffix(at, "/") && clean != "/" {
			clean += "/"
		}
		if at != clean && strings.HasPrefix(at, "/") {
			w.Header().Set("Connection", "close") // it may be a stranger's: the token comes later
			problem(w, http.StatusBadRequest, "the path has an empty part, or one of dots: slashes and dots of a key are percent-encoded, as %2F and %2E")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// brief answers whom it does not know, if there is a token to know them by, and keeps no connection for them.
func (s *Server) brief(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.o.Token != "" {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// methodsOf returns the methods by which what a request is for can be asked.
func methodsOf(r *http.Request, of ...*http.ServeMux) (allowed []string) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete} {
		asked := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if slices.ContainsFunc(of, func(mux *http.ServeMux) bool {
			_, pattern := mux.Handler(asked)
			return pattern != "" && pattern != "/"
		}) {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) { s.o.Metrics.ServeHTTP(w, r) }

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if !s.o.Ready() {
		problem(w, http.StatusServiceUnavailable, "this member is starting, or leaves")
		return
	}
	answer(w, map[string]string{"status": "ready"})
}
