package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/claims"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/groups"
)

const (
	claimHeader = "CacheMesh-Claim" // the token of a claim
	staleHeader = "CacheMesh-Stale" // for how long the time of a value has been over, as Go writes times

	mostReason = 2 << 10 // bytes of what :fail says
)

// claim answers GET with ?claim=1: 200 with the value, 404 if it is known that there is none, 204
// with a token to whoever is to load it, 409 if another loads it and the wait is over.
func (s *Server) claim(w http.ResponseWriter, r *http.Request, g *groups.Group, query url.Values) {
	var o cachemesh.ClaimOptions
	var err error
	if o.Wait, err = timeOf(query, "wait", claims.MostWait); err == nil {
		o.Hold, err = timeOf(query, "hold", claims.MostHold)
	}
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	name, key := r.PathValue("group"), r.PathValue("key")
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.staying, cancel)() // a member that leaves makes nobody wait
	got, err := g.Claim(ctx, key, o)
	if err != nil && s.staying.Err() != nil {
		err = cachemesh.ErrClosed
	}
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	switch got.State {
	case cachemesh.Stale:
		w.Header().Set(staleHeader, got.Age.String())
		writeValue(w, got.Value)
	case cachemesh.Hit:
		writeValue(w, got.Value)
	case cachemesh.NotFound:
		fail(w, cachemesh.ErrNotFound)
	case cachemesh.Won:
		s.grant(w, r, name, key, got, o.Hold)
	default:
		w.Header().Set("Retry-After", retryAfterS)
		problem(w, http.StatusConflict, "another loads the value: ask again, or wait longer")
	}
}

// grant gives a client the token of its claim. One that is gone has won nothing.
func (s *Server) grant(w http.ResponseWriter, r *http.Request, name, key string, got claims.Claim, hold time.Duration) {
	token, err := s.o.Claims.Keep(r.Context(), nil, name, key, got, hold)
	if err != nil {
		w.Header().Set("Retry-After", retryAfterS)
		problem(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	w.Header().Set(claimHeader, token)
	w.WriteHeader(http.StatusNoContent)
	if err := http.NewResponseController(w).Flush(); (err == nil || errors.Is(err, http.ErrNotSupported)) && r.Context().Err() == nil {
		return
	}
	if claim, err := s.o.Claims.Take(name, key, token); err == nil {
		claim.Release(context.WithoutCancel(r.Context()))
	}
}

func timeOf(query url.Values, name string, most time.Duration) (time.Duration, error) {
	text := query.Get(name)
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if ms, bad := strconv.ParseUint(text, 10, 32); bad == nil { // a bare number is milliseconds
		d, err = time.Duration(ms)*time.Millisecond, nil
	}
	if err != nil || d < 0 || d > most {
		return 0, fmt.Errorf("%s: %.40q is no time from 0 to %v", name, text, most)
	}
	return d, nil
}

// fill answers PUT with the token of a claim: 204 if the value is stored, 409 if something came
// in between, 410 if the claim stands no more.
func (s *Server) fill(w http.ResponseWriter, r *http.Request, value []byte, ttl time.Duration) {
	claim, err := s.o.Claims.Take(r.PathValue("group"), r.PathValue("key"), r.Header.Get(claimHeader))
	if err == nil {
		err = claim.Fill(r.Context(), value, ttl)
	}
	ended(w, err)
}

// endClaim answers POST …/keys/{key}/claim:notFound, :fail, :extend and :release.
func (s *Server) endClaim(w http.ResponseWriter, r *http.Request) {
	name, key, token := r.PathValue("group"), r.PathValue("key"), r.Header.Get(claimHeader)
	what := r.PathValue("what")
	if what == "claim:extend" {
		hold, err := timeOf(r.URL.Query(), "hold", claims.MostHold)
		if err != nil {
			problem(w, http.StatusBadRequest, err.Error())
			return
		}
		ended(w, s.o.Claims.Extend(r.Context(), name, key, token, hold))
		return
	}
	if what != "claim:notFound" && what != "claim:fail" && what != "claim:release" {
		problem(w, http.StatusNotFound, "there is no POST "+r.URL.Path)
		return
	}
	reason, ok := s.body(w, r, mostReason)
	if !ok {
		return
	}
	claim, err := s.o.Claims.Take(name, key, token)
	if err != nil {
		ended(w, err)
		return
	}
	switch what {
	case "claim:notFound":
		err = claim.NotFound(r.Context())
	case "claim:fail":
		err = claim.Fail(r.Context(), errors.New(strings.ToValidUTF8(string(reason), "?")))
	default:
		claim.Release(r.Context())
	}
	ended(w, err)
}

// ended answers how a claim ended.
func ended(w http.ResponseWriter, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
