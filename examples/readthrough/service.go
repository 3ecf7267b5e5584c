package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A service is what one member offers over HTTP.
type service struct {
	name   string
	origin *origin
	node   *cachemesh.Node
	places *cachemesh.Group[cachedPlace] // read through from the database
	notes  *cachemesh.Group[string]      // kept in the mesh alone
}

// A cachedPlace is the value in the mesh: the row, and for the demonstration who
// loaded it and when. All processes run on one machine, so they may compare
// clocks; nothing but the X-Cache header depends on it.
type cachedPlace struct {
	Place
	LoadedBy string `json:"loaded_by"`
	LoadedAt int64  `json:"loaded_at"` // Unix nanoseconds
}

// Headers that tell how a look-up was answered.
const (
	headerMember = "X-Answered-By" // the member that was asked
	headerCache  = "X-Cache"       // "hit": from memory; "load": the request waited for the database
	headerLoader = "X-Loaded-By"   // the member that had read the row: the owner of the key
	headerTiming = "Server-Timing" // how long Get took, in ms
)

const (
	maxBody      = 64 << 10 // bytes of a request's body
	writeTimeout = 10 * time.Second
)

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /place/{id}", s.getPlace)
	mux.HandleFunc("PUT /place/{id}", s.putPlace)
	mux.HandleFunc("DELETE /place/{id}", s.deletePlace)
	mux.HandleFunc("GET /note/{id}", s.getNote)
	mux.HandleFunc("PUT /note/{id}", s.putNote)
	mux.HandleFunc("GET /stats", s.getStats)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	return mux
}

// getPlace is the whole read path: one call of Get.
func (s *service) getPlace(w http.ResponseWriter, r *http.Request) {
	id, ok := placeID(w, r)
	if !ok {
		return
	}
	start := time.Now()
	p, err := s.places.Get(r.Context(), strconv.FormatInt(id, 10))
	took := time.Since(start)
	h := w.Header()
	h.Set(headerMember, s.name)
	h.Set(headerTiming, fmt.Sprintf("get;dur=%.4f", took.Seconds()*1000))
	if err != nil {
		fail(w, err)
		return
	}
	h.Set(headerLoader, p.LoadedBy)
	h.Set(headerCache, "hit")
	if p.LoadedAt >= start.UnixNano() {
		h.Set(headerCache, "load")
	}
	reply(w, p.Place)
}

// putPlace writes the row, then deletes the key: every Get that starts after the
// answer sees the new row or a newer one. Set would save the next query, but two
// writers of one row could Set in another order than the database committed.
func (s *service) putPlace(w http.ResponseWriter, r *http.Request) {
	id, ok := placeID(w, r)
	if !ok {
		return
	}
	var p Place
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&p); err != nil {
		http.Error(w, "body: "+err.Error(), http.StatusBadRequest)
		return
	}
	p.ID = id
	s.answer(w, func(ctx context.Context) error {
		if err := s.origin.put(ctx, p); err != nil {
			return err
		}
		return s.places.Delete(ctx, p.key())
	}, r)
}

func (s *service) deletePlace(w http.ResponseWriter, r *http.Request) {
	id, ok := placeID(w, r)
	if !ok {
		return
	}
	s.answer(w, func(ctx context.Context) error {
		// Where the row is gone already an earlier attempt may have failed half-way.
		err := s.origin.remove(ctx, id)
		if err != nil && !errors.Is(err, errNoRow) {
			return err
		}
		return cmp.Or(s.places.Delete(ctx, strconv.FormatInt(id, 10)), err)
	}, r)
}

func (s *service) getNote(w http.ResponseWriter, r *http.Request) {
	note, err := s.notes.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		fail(w, err)
		return
	}
	io.WriteString(w, note)
}

func (s *service) putNote(w http.ResponseWriter, r *http.Request) {
	note, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "body: "+err.Error(), http.StatusBadRequest)
		return
	}
	s.answer(w, func(ctx context.Context) error {
		return s.notes.Set(ctx, r.PathValue("id"), string(note), 0)
	}, r)
}

// memberStats is the answer of /stats.
type memberStats struct {
	Name    string             `json:"name"`
	Members []cachemesh.Member `json:"members"`
	Queries uint64             `json:"queries"` // rows that this process asked of the database
	Places  cachemesh.Stats    `json:"places"`
}

func (s *service) getStats(w http.ResponseWriter, _ *http.Request) {
	reply(w, memberStats{s.name, s.node.Members(), s.origin.asked.Load(), s.places.Stats()})
}

// answer carries out a write and says how it went. A write is not cut short when
// the client goes away: the database would have the new row and the mesh the old.
func (s *service) answer(w http.ResponseWriter, write func(context.Context) error, r *http.Request) {
	w.Header().Set(headerMember, s.name)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), writeTimeout)
	defer cancel()
	if err := write(ctx); err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) // an error here means that the client went away
}

// fail says not found, or that the mesh or the database could not answer. What a loader returned names the
// database's host and user: a service that strangers reach keeps that text in its log.
func fail(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	switch {
	case errors.Is(err, cachemesh.ErrNotFound), errors.Is(err, errNoRow):
		status = http.StatusNotFound
	case errors.Is(err, cachemesh.ErrInvalidKey):
		status = http.StatusBadRequest
	}
	http.Error(w, err.Error(), status)
}

func placeID(w http.ResponseWriter, r *http.Request) (id int64, ok bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		http.Error(w, "the id of a place is a positive number", http.StatusBadRequest)
		return 0, false
	}
	return id, true
}
