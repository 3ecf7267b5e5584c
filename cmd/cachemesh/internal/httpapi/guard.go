package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard lets in whoever has the token, as a password too if a person may say it, and no page of
// another site that runs in the browser of somebody who can reach this port.
func (s *Server) guard(next http.Handler, person bool) http.Handler {
	foreign := http.NewCrossOriginProtection()
	foreign.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusForbidden, "the request comes from a page of another site")
	}))
	want := sha256.Sum256([]byte("Bearer " + s.o.Token))
	return foreign.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, scheme := r.Header.Get("Authorization"), "Bearer"
		if person {
			scheme = `Basic realm="cachemesh", charset="UTF-8"`
			if _, password, ok := r.BasicAuth(); ok {
				said = "Bearer " + password
			}
		}
		got := sha256.Sum256([]byte(said))
		switch {
		case s.o.Token != "" && said != "" && !s.guesses.Allows(r.RemoteAddr):
			w.Header().Set("Retry-After", "10")
			w.Header().Set("Connection", "close")
			problem(w, http.StatusTooManyRequests, "too many wrong tokens came from this address")
		case s.o.Token != "" && subtle.ConstantTimeCompare(want[:], got[:]) != 1:
			if said != "" {
				s.guesses.Wrong(r.RemoteAddr)
			}
			w.Header().Set("WWW-Authenticate", scheme)
			w.Header().Set("Connection", "close")
			problem(w, http.StatusUnauthorized, "the request needs the token of this member")
		case s.o.Token == "" && fromHere(r) && !namesHere(r.Host):
			problem(w, http.StatusForbidden, "the request is for "+r.Host+", which is not this machine")
		default:
			next.ServeHTTP(w, r)
		}
	}))
}

// fromHere reports whether a request came over the loopback interface.
func fromHere(r *http.Request) bool {
	at, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if at == nil {
		return false
	}
	addr, err := netip.ParseAddrPort(at.String())
	return err == nil && addr.Addr().IsLoopback()
}

// namesHere reports whether the host of a request can be meant for this machine: a name of
// the DNS that points at the loopback interface is somebody's trick. HTTP/1.0, which no browser speaks, names none.
func namesHere(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "" || strings.EqualFold(host, "localhost")
}
