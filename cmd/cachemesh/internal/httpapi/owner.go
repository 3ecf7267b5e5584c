package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// Owner is what GET …/keys/{key}/owner says: which member owns a key, and what that knows of the
// value, if there is one.
type Owner struct {
	Group string `json:"group"`
	Key   string `json:"key"`
	Owner string `json:"owner"`
	Addr  string `json:"addr,omitempty"`

	HasValue bool    `json:"hasValue"`
	TTL      string  `json:"ttl,omitempty"` // as CacheMesh-TTL
	Age      float64 `json:"age,omitempty"` // seconds
	Size     int64   `json:"size,omitempty"`
	Version  string  `json:"version,omitempty"`
}

func (s *Server) owner(w http.ResponseWriter, r *http.Request) {
	name, key := r.PathValue("group"), r.PathValue("key")
	if s.of(w, name) == nil {
		return
	}
	var g cachemesh.AnyGroup
	for _, g = range s.o.Node.Groups() {
		if g.Name() == name {
			break
		}
	}
	owner, err := g.Owner(key)
	if err != nil {
		fail(w, err)
		return
	}
	said := Owner{Group: name, Key: key, Owner: owner}
	for _, m := range s.o.Node.Members() {
		if m.Name == owner {
			said.Addr = m.Addr
		}
	}
	switch meta, err := g.Meta(r.Context(), key); {
	case err == nil:
		said.HasValue, said.TTL, said.Age, said.Size, said.Version = true, textOf(meta.TTL), meta.Age.Seconds(), meta.Size, meta.Version.String()
	case !errors.Is(err, cachemesh.ErrNotFound):
		fail(w, err)
		return
	}
	answer(w, said)
}

// textOf is what CacheMesh-TTL says.
func textOf(ttl time.Duration) string {
	if ttl == cachemesh.Forever {
		return "forever"
	}
	return ttl.String()
}
