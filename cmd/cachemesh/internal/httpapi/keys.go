package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/groups"
)

const (
	ttlHeader = "CacheMesh-TTL" // how long a value lives or has left, as Go writes times; "forever"

	mostKeys    = 10000
	mostRequest = 8 << 20 // bytes of a list of keys
)

// of returns the group that a request names, made if it may be, or answers that there is none.
func (s *Server) of(w http.ResponseWriter, name string) *cachemesh.Group[[]byte] {
	g, err := s.o.Groups.Use(name)
	switch {
	case errors.Is(err, groups.ErrNone):
		problem(w, http.StatusNotFound, err.Error())
	case errors.Is(err, groups.ErrTooMany):
		problem(w, http.StatusInsufficientStorage, err.Error())
	case err != nil:
		fail(w, err)
	}
	return g
}

// get answers GET and HEAD with a value, its age, what is left of its time, and its version.
func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	g := s.of(w, r.PathValue("group"))
	if g == nil {
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil { // part of it would be left out
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	if r.Method == http.MethodGet && query.Has("claim") {
		s.claim(w, r, g, query)
		return
	}
	item, err := g.Item(r.Context(), r.PathValue("key"))
	if err != nil {
		fail(w, err)
		return
	}
	h := w.Header()
	version := `"` + item.Version.String() + `"`
	h.Set("ETag", version)
	if has(r.Header.Values("If-None-Match"), version) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Age", strconv.FormatInt(int64(item.Age/time.Second), 10))
	h.Set("CacheMesh-Owner", item.Owner)
	h.Set(ttlHeader, textOf(item.TTL))
	writeValue(w, item.Value)
}

// has reports whether one of the versions that a client has is the one that there is; what stands between may
// have made it weak.
func has(lists []string, version string) bool {
	for _, list := range lists {
		for one := range strings.SplitSeq(list, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == version {
				return true
			}
		}
	}
	return false
}

// writeValue answers with a value.
func writeValue(w http.ResponseWriter, value []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(value)))
	h.Set("Cache-Control", "no-store") // caches on the way would not hear of writes
	w.Write(value)
}

// put sets a value: for CacheMesh-TTL, or the group's own; with If-None-Match: * if there is
// none, with If-Match if that is its version. With CacheMesh-Claim it brings what was claimed.
func (s *Server) put(w http.ResponseWriter, r *http.Request) {
	g := s.of(w, r.PathValue("group"))
	if g == nil {
		return
	}
	ttl, cond, err := conditions(r)
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	value, ok := s.body(w, r, int64(s.o.MaxValue))
	if !ok {
		return
	}
	if _, claimed := r.Header[http.CanonicalHeaderKey(claimHeader)]; claimed {
		if cond != (cachemesh.Condition{}) {
			problem(w, http.StatusBadRequest, "a claim is filled without If-Match and If-None-Match")
			return
		}
		s.fill(w, r, value, ttl)
		return
	}
	if cond == (cachemesh.Condition{}) {
		err = g.Set(r.Context(), r.PathValue("key"), value, ttl)
	} else {
		var written cachemesh.Written[[]byte]
		written, err = g.SetIf(r.Context(), r.PathValue("key"), value, ttl, cond)
		if err == nil && !written.Done {
			problem(w, http.StatusPreconditionFailed, "the key has another value, or one at all")
			return
		}
		if err == nil {
			w.Header().Set("ETag", `"`+written.Version.String()+`"`)
		}
	}
	if err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func conditions(r *http.Request) (ttl time.Duration, c cachemesh.Condition, err error) {
	for _, name := range []string{ttlHeader, claimHeader, "If-None-Match", "If-Match"} {
		if has := r.Header.Values(name); len(has) > 1 || len(has) == 1 && has[0] == "" {
			return 0, c, fmt.Errorf("%s: want one value, or no such header", name)
		}
	}
	switch text := r.Header.Get(ttlHeader); text {
	case "":
	case "forever":
		ttl = cachemesh.Forever
	default:
		if ttl, err = time.ParseDuration(text); err != nil || ttl <= 0 {
			return ttl, c, fmt.Errorf(`%s: %q is neither a time such as 90s nor "forever"`, ttlHeader, text)
		}
	}
	none, match := r.Header.Get("If-None-Match"), r.Header.Get("If-Match")
	if none != "" && match != "" {
		return ttl, c, errors.New("If-None-Match and If-Match exclude each other")
	}
	if none != "" && none != "*" {
		return ttl, c, errors.New("If-None-Match: only * is known")
	}
	c.Absent, c.Present = none == "*", match == "*"
	if match != "" && match != "*" {
		if c.Version, err = cachemesh.ParseVersion(strings.Trim(match, `"`)); err != nil {
			return ttl, c, err
		}
	}
	return ttl, c, nil
}

func (s *Server) delete(w http.ResponseWriter, r *http.Request) {
	g := s.of(w, r.PathValue("group"))
	if g == nil {
		return
	}
	_, c, err := conditions(r)
	if err == nil && (c.Absent || r.Header.Get(claimHeader) != "") {
		err = errors.New("a DELETE knows no condition but If-Match: *")
	}
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	switch match := r.Header.Get("If-Match"); match {
	case "":
		err = g.Delete(r.Context(), r.PathValue("key"))
	case "*":
		if _, err = g.GetDelete(r.Context(), r.PathValue("key")); errors.Is(err, cachemesh.ErrNotFound) {
			problem(w, http.StatusPreconditionFailed, "the key has no value")
			return
		}
	default:
		problem(w, http.StatusBadRequest, "If-Match: of a DELETE only * is known")
		return
	}
	if err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// action answers POST /v1/groups/{group}:getMany and :clear.
func (s *Server) action(w http.ResponseWriter, r *http.Request) {
	at := strings.LastIndexByte(r.PathValue("action"), ':')
	if at < 0 {
		problem(w, http.StatusNotFound, "there is no POST "+r.URL.Path)
		return
	}
	name, what := r.PathValue("action")[:at], r.PathValue("action")[at+1:]
	g := s.of(w, name)
	if g == nil {
		return
	}
	switch what {
	case "getMany":
		s.getMany(w, r, g)
	case "clear":
		if err := g.Clear(r.Context()); err != nil {
			fail(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		problem(w, http.StatusNotFound, "there is no POST "+r.URL.Path)
	}
}

// Many is what :getMany answers. Values are base64, as JSON has bytes.
type Many struct {
	Values map[string][]byte `json:"values"`
	Errors map[string]string `json:"errors,omitempty"`
}

func (s *Server) getMany(w http.ResponseWriter, r *http.Request, g *cachemesh.Group[[]byte]) {
	var asked struct {
		Keys []string `json:"keys"`
	}
	data, ok := s.body(w, r, mostRequest)
	if !ok {
		return
	}
	if err := decode(data, &asked); err != nil {
		problem(w, http.StatusBadRequest, `the body is not {"keys": […]}: `+err.Error())
		return
	}
	if len(asked.Keys) > mostKeys {
		problem(w, http.StatusBadRequest, fmt.Sprintf("%d keys are more than %d", len(asked.Keys), mostKeys))
		return
	}
	values, err := g.GetMany(r.Context(), asked.Keys)
	var failed cachemesh.KeyErrors
	if err != nil && !errors.As(err, &failed) {
		fail(w, err)
		return
	}
	many := Many{Values: values, Errors: make(map[string]string, len(failed))}
	for key, err := range failed {
		many.Errors[key] = err.Error()
	}
	answer(w, many)
}

// decode reads JSON that is all of data. Text that is no UTF-8 would be read as another text.
func decode(data []byte, into any) error {
	if !utf8.Valid(data) {
		return errors.New("it is no UTF-8: keys of other bytes are asked for one by one")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var wrong *json.UnmarshalTypeError
	switch err := decoder.Decode(into); {
	case err == io.EOF:
		return errors.New("it is empty")
	case errors.As(err, &wrong): // without the names of Go's types
		return fmt.Errorf("what ends at byte %d is of the wrong kind: %s", wrong.Offset, wrong.Value)
	case err != nil:
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows it")
	}
	return nil
}
