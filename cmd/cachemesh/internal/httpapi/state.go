package httpapi

import (
	"context"
	_ "embed"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/claims"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/guesses"
)

// Options configure a Server.
type Options struct {
	Node     *cachemesh.Node
	Groups   *groups.Set
	Claims   *claims.Table
	Token    string // that clients send as "Authorization: Bearer …"; "": none
	MaxValue int    // bytes of a value
	MaxConns int    // at once; 0: MostConns
	Ready    func() bool
	Version  string
	Log      *slog.Logger

	Metrics   http.Handler
	Dashboard http.Handler // nil: none
}

// A Server is an http.Server with the API.
type Server struct {
	o      Options
	inner  *http.Server
	bodies atomic.Int64 // bytes that large bodies under way may take, together

	guesses guesses.Limiter // of the token

	staying context.Context // ends when Shutdown begins, for requests that wait for others
	leave   context.CancelFunc
}

const (
	// MostConns is how many connections there are at once.
	MostConns = 2000

	mostBodies  = 256 << 20 // bytes of large bodies, together
	smallBody   = 64 << 10  // bytes of a body that is not counted
	retryAfterS = "1"
)
