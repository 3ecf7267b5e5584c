package main

import (
	"io"
	"net"
	"net/http"
	"sync"
)

// pages are what the origin serves.
var pages = map[string]struct{ body, cacheControl string }{
	"/about":   {"we are old", "public, max-age=3600"},
	"/prices":  {"cheap", "max-age=1"},
	"/shared":  {"for caches like this", "max-age=0, s-maxage=3600"},
	"/account": {"yours alone", "private, no-store"},
}

// An origin is an HTTP server that counts what it is asked.
type origin struct {
	base   string
	client *http.Client
	server *http.Server
	done   chan error

	mu    sync.Mutex
	count map[string]int // requests by path; guarded by mu
}

func startOrigin() (*origin, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o := &origin{base: "http://" + l.Addr().String(), client: &http.Client{Transport: &http.Transport{}}, done: make(chan error, 1), count: make(map[string]int)}
	o.server = &http.Server{Handler: o}
	go func() { o.done <- o.server.Serve(l) }()
	return o, nil
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.count[r.URL.Path]++
	o.mu.Unlock()
	page, ok := pages[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", page.cacheControl)
	io.WriteString(w, page.body)
}

func (o *origin) requests(path string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.count[path]
}

// stop closes the server and waits for it.
func (o *origin) stop() error {
	o.client.CloseIdleConnections()
	err := o.server.Close()
	<-o.done
	return err
}
