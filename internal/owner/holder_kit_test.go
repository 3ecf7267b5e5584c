package owner

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// of returns the shard of a key.
func (r *rig) of(key string) *shard { return r.shard(r.hash(key)) }

// lease lets the holder have a copy of a key.
func (r *rig) lease(t *testing.T, key string) {
	t.Helper()
	e, number := r.grant(key, 0)
	if e == nil || number == 0 {
		t.Fatalf("Grant(%q) = %v, %v", key, e, number)
	}
}

// grant grants a copy of a key to the holder, whose session is renewed first.
func (r *rig) grant(key string, enc wire.Encoding) (*store.Entry, uint64) {
	r.Sessions.Probed("holder", true)
	r.Sessions.Renew(session.Peer{ID: "holder"}, r.State.Era(), r.Clock.Now(), r.State.Confirmed())
	return r.Grant(r.hash(key), key, "holder", enc, r.Clock.Now())
}

// until returns a holder's session that lapses at a time, or later if it was renewed before.
func (r *rig) until(holder string, until int64) *session.Session {
	term := r.Sessions.Term()
	r.Sessions.Probed(holder, true)
	r.Sessions.Renew(session.Peer{ID: holder}, r.State.Era(), until-term-term/32, 1<<62)
	slot, _ := r.Sessions.Standing(holder, r.State.Era())
	return r.Sessions.At(slot)
}

// hold registers a copy of a key under a session that lapses at a time. Nobody else uses the key's shard, or the caller
// has its lock.
func (r *rig) hold(key string, until int64) {
	r.until("holder", until)
	slot, _ := r.Sessions.Standing("holder", r.State.Era())
	r.of(key).registered.note(r.hash(key), slot, 0, &r.notes)
}
