// Package dashboard shows one member of a mesh to a browser:
//
//	d := dashboard.Handler(node)
//	defer d.Close()
//	http.Handle("/mesh/", d)
//
// It may be mounted under any prefix, with or without http.StripPrefix: what it links to is
// relative. It only shows, and never a value; whoever may see groups' names, members' addresses
// and whether a key is there is for your own server to say.
//
// What it shows is what this member sees and counted itself, and of the others how they see the mesh, as
// they tell this one. It looks once a second, and
// remembers ten minutes of counters, of at most 64 groups, and 200 events. Every page works
// without JavaScript, and has its tables as JSON with ?format=json.
package dashboard

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A Dashboard is an http.Handler. Its methods are called concurrently.
type Dashboard struct {
	node    *cachemesh.Node
	watch   *watch
	streams atomic.Int32 // that are open

	cancel context.CancelFunc // ends what follows
	ctx    context.Context
	looks  sync.WaitGroup // the goroutine that looks at the node
}

const maxStreams = 64 // open at a time

// Handler returns the dashboard of a node, which need not be started. It has a goroutine that
// looks at the node, until Close, or until the node has started and closed.
func Handler(node *cachemesh.Node) *Dashboard {
	d := &Dashboard{node: node, watch: newWatch()}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.watch.look(seenOf(node))
	d.looks.Go(d.run)
	return d
}

// Close ends what looks at the node, and the streams to browsers; it waits for the first.
// Pages are still answered, with what there was. Call it before http.Server.Shutdown, which
// waits for streams. It is safe to call more than once.
func (d *Dashboard) Close() error {
	d.cancel()
	d.looks.Wait()
	return nil
}

func (d *Dashboard) run() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for started := false; ; {
		select {
		case <-d.ctx.Done():
			return
		case <-tick.C:
		}
		s := seenOf(d.node)
		d.watch.look(s)
		if started && len(s.members) == 0 {
			return // the node has closed
		}
		started = started || len(s.members) > 0
	}
}

// files are what is served as it is, and as what.
var files = map[string]string{"style.css": "text/css; charset=utf-8", "dash.js": "text/javascript; charset=utf-8"}

// ServeHTTP serves what the last part of the path names.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "this dashboard only shows", http.StatusMethodNotAllowed)
		return
	}
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch contentType, isFile := files[name]; {
	case isFile:
		h.Set("Content-Type", contentType)
		h.Set("Cache-Control", "max-age=300")
		text, _ := assets.ReadFile("assets/" + name)
		w.Write(text)
	case name == "stream":
		d.serveStream(w, r)
	case pages[name] != nil:
		d.servePage(w, r, name)
	default:
		http.NotFound(w, r)
	}
}
