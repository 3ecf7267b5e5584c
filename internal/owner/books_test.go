package owner

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// leasingCore is a part whose view has these members, which have sessions.
func leasingCore(ids ...string) *Part {
	var members []quorum.Member
	for _, id := range ids {
		members = append(members, quorum.Member{ID: id, Name: id})
	}
	l, now := life.New(), new(clock.Clock)
	now.Start()
	state, writes := view.NewState(l, now, time.Second)
	writes.Publish(view.New(members, nil, "self", func(string) wire.Peer { return nowhere{} }, true))
	c := new(Part)
	sessions := session.NewGranted(int64(time.Second), faultinject.Sessions{})
	for _, id := range ids {
		sessions.Renew(session.Peer{ID: id}, 0, 0, math.MaxInt64)
	}
	c.Init(Basis{
		Setting: &Setting{Sessions: sessions, Life: l, Log: slog.New(slog.DiscardHandler), Faults: new(faultinject.Faults), Duties: new(Duties)},
		Clock:   now, State: state, Others: obeying{}, Name: "g", Origin: new(origin.Origin),
	}, Room{All: 64 << 20, Books: 1 << 30})
	return c
}

// obeying are members that do what they are told.
type obeying struct{ Others }

func (obeying) Invalidate(context.Context, *view.Owner, uint64, string) bool { return true }

type nowhere struct{}

func (nowhere) Call(context.Context, *httppool.Request, *httppool.Response) error {
	return httppool.ErrUnreachable
}
