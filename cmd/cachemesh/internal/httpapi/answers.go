package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/praveenduddu/cachemesh"
)

// A Problem is an error as RFC 9457 has it.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`

	MaybeApplied bool `json:"maybeApplied,omitempty"` // a write may have taken effect
}

func problem(w http.ResponseWriter, status int, detail string) {
	writeProblem(w, Problem{Title: http.StatusText(status), Status: status, Detail: detail})
}

func writeProblem(w http.ResponseWriter, p Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

// statuses are those of the library's errors; the first that fits counts.
var statuses = []struct {
	of     error
	status int
}{
	{cachemesh.ErrNotFound, http.StatusNotFound},
	{cachemesh.ErrInvalidKey, http.StatusBadRequest},
	{cachemesh.ErrInvalidTTL, http.StatusBadRequest},
	{cachemesh.ErrNotCache, http.StatusBadRequest},
	{cachemesh.ErrClaimVoid, http.StatusConflict},
	{cachemesh.ErrClaimOver, http.StatusGone},
	{cachemesh.ErrTooLarge, http.StatusRequestEntityTooLarge},
	{cachemesh.ErrMinority, http.StatusServiceUnavailable},
	{cachemesh.ErrUnsettled, http.StatusServiceUnavailable},
	{cachemesh.ErrOverloaded, http.StatusServiceUnavailable},
	{cachemesh.ErrClosed, http.StatusServiceUnavailable},
	{cachemesh.ErrNotStarted, http.StatusServiceUnavailable},
	{context.DeadlineExceeded, http.StatusGatewayTimeout},
}

// fail answers an error of the library's.
func fail(w http.ResponseWriter, err error) {
	var peer *cachemesh.PeerError
	p := Problem{Status: http.StatusBadGateway, Detail: err.Error(), MaybeApplied: errors.As(err, &peer) && peer.MaybeApplied}
	for _, s := range statuses {
		if errors.Is(err, s.of) {
			p.Status = s.status
			break
		}
	}
	p.Title = http.StatusText(p.Status)
	writeProblem(w, p)
}

// body reads the body of a request, of at most so many bytes. ok is false after it has
// answered that it cannot: all bodies under way have a bound together.
func (s *Server) body(w http.ResponseWriter, r *http.Request, most int64) (data []byte, ok bool) {
	size := r.ContentLength
	if size > most {
		w.Header().Set("Connection", "close") // or the answer would wait for the body
		problem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", most))
		return nil, false
	}
	if size < 0 {
		size = most
	}
	if size > smallBody {
		defer s.bodies.Add(size)
		if s.bodies.Add(-size) < 0 {
			w.Header().Set("Retry-After", retryAfterS)
			w.Header().Set("Connection", "close") // or the answer would wait for the body
			problem(w, http.StatusServiceUnavailable, "too many large bodies are under way")
			return nil, false
		}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		problem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", most))
	case err != nil:
		problem(w, http.StatusBadRequest, "the body cannot be read: "+err.Error())
	}
	return data, err == nil
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(v)
}
