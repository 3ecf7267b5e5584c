package dashboard

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"
)

//go:embed assets
var assets embed.FS

// A maker fills in a page for a request's query. If what was asked for is not there, it returns
// the status 404, and the page says so.
type maker func(w *watch, r *http.Request, query url.Values, p *page) (status int)

// pages are the pages, by the last part of their path.
var pages = map[string]maker{"": overview, "members": members, "groups": groupsPage, "group": groupPage, "key": keyPage, "events": eventsPage}

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"clock": func(t time.Time) string { return t.UTC().Format("15:04:05 MST") },
	"shape": func(l level) string { return map[level]string{good: "●", note: "◆", warn: "▲", bad: "✖"}[l] },
}).ParseFS(assets, "assets/*.html"))

// make makes a page; its status is that of the answer.
func (d *Dashboard) make(r *http.Request, name string, query url.Values) (*page, int) {
	p := &page{Name: name, Query: query.Encode(), Filter: query.Get("q"), Member: d.node.Name(), At: time.Now()}
	status := pages[name](d.watch, r, query, p)
	for i := range p.Tables {
		p.Tables[i].arrange(query)
		p.Filters = p.Filters || !p.Tables[i].Fixed
	}
	return p, status
}

// servePage serves a page, as HTML or JSON.
func (d *Dashboard) servePage(w http.ResponseWriter, r *http.Request, name string) {
	query := r.URL.Query()
	format := query.Get("format")
	query.Del("format")
	p, status := d.make(r, name, query)
	var b bytes.Buffer
	var err error
	switch format {
	case "":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		err = templates.ExecuteTemplate(&b, "page", p)
	case "json":
		w.Header().Set("Content-Type", "application/json")
		encoder := json.NewEncoder(&b)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(p)
	default:
		http.Error(w, fmt.Sprintf("format %q: there is HTML, without format, and json", format), http.StatusBadRequest)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	w.Write(b.Bytes())
}
