package dashboard

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	defaultEvery = 2 * time.Second
	maxEvery     = time.Minute
	sendWithin   = 10 * time.Second // a browser that takes longer to take an event is given up
)

// serveStream sends a page's part that changes as server-sent events: every so many seconds,
// if it has changed, and at once if something has happened. The query says which page (page),
// how often (every, in seconds), and has what the page's own query has.
func (d *Dashboard) serveStream(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	name := query.Get("page")
	every := defaultEvery
	if s, err := strconv.Atoi(query.Get("every")); err == nil && s > 0 {
		every = min(time.Duration(s)*time.Second, maxEvery)
	}
	query.Del("page")
	query.Del("every")
	if pages[name] == nil {
		http.NotFound(w, r)
		return
	}
	if d.streams.Add(1) > maxStreams {
		d.streams.Add(-1)
		http.Error(w, "too many browsers are watching", http.StatusServiceUnavailable)
		return
	}
	defer d.streams.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // proxies pass events on at once
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	glance := time.NewTicker(glanceEvery)
	defer glance.Stop()
	var sent time.Time
	known := -1
	for {
		looked, happened := d.watch.next()
		if now := time.Now(); happened != known || now.Sub(sent) >= every-lookEvery/2 {
			sent, known = now, happened
			p, _ := d.make(r, name, query)
			var b bytes.Buffer
			if !p.Live || templates.ExecuteTemplate(&b, "live", p) != nil {
				return
			}
			out.SetWriteDeadline(now.Add(sendWithin)) // instead of the server's own
			if writeEvent(w, b.Bytes()) != nil || out.Flush() != nil {
				return
			}
		}
		select {
		case <-looked:
		case <-glance.C:
			d.watch.glance(d.node)
		case <-r.Context().Done():
			return
		case <-d.ctx.Done():
			return
		}
	}
}

// writeEvent writes one event of several lines.
func writeEvent(w http.ResponseWriter, text []byte) error {
	for line := range bytes.Lines(text) {
		if _, err := fmt.Fprintf(w, "data: %s\n", bytes.TrimRight(line, "\r\n")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(w, "\n")
	return err
}
