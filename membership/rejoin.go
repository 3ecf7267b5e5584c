package membership

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// firstRetry follows a start that found nobody: all instances of a service may start at the same time.
const firstRetry = 250 * time.Millisecond

// rejoin is the goroutine that looks for seeds and lost members, for ever. memberlist forgets the dead, so a partition
// that lasts longer than that would otherwise never heal.
func (m *Membership) rejoin() {
	pause := min(firstRetry, m.cfg.RejoinInterval)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-timer.C:
			if m.state() != nil {
				return
			}
			m.search(m.ctx)
			if m.found.Load() || len(m.cfg.Seeds) == 0 {
				pause = m.cfg.RejoinInterval
			} else {
				pause = min(2*pause, m.cfg.RejoinInterval)
			}
			timer.Reset(jitter(pause))
		case <-m.wake:
			m.reach(m.ctx, m.table.missing(time.Now(), m.cfg.RejoinInterval))
		}
	}
}

// search contacts the seeds and the lost members that are not in the table.
func (m *Membership) search(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, max(m.cfg.RejoinInterval, 2*m.cfg.StreamTimeout))
	defer cancel()
	seeds, errs := m.seeds.findAll(ctx)
	if err := errors.Join(errs[:min(len(errs), maxJoinErrors)]...); err != nil {
		m.journal.add(slog.LevelWarn, "bootstrap nodes cannot be resolved; this member goes on trying", slog.Any("err", err))
	}
	missing := without(seeds, m.table.peerAddrs())
	lost := m.table.missing(time.Now(), m.cfg.RejoinInterval)
	m.reach(ctx, append(missing, without(lost, missing)...))
}

// reach contacts addrs and says so in the log, as this member may be cut off.
func (m *Membership) reach(ctx context.Context, addrs []netip.AddrPort) {
	if len(addrs) == 0 {
		return
	}
	answered, errs := m.contactAll(ctx, addrs)
	errs = slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, ErrRefused) }) // each was told already
	if len(answered) == 0 && len(errs) > 0 && m.table.alone() && ctx.Err() == nil {
		m.journal.add(slog.LevelWarn, "no other member can be reached; this one goes on trying",
			slog.Any("err", errors.Join(errs[:min(len(errs), maxJoinErrors)]...)))
	}
}

// heard is told the source of every packet. One of a member that was declared dead means that it was not: it is worth
// an exchange of state at once.
func (m *Membership) heard(addr netip.AddrPort) {
	if m.table.heard(addr, time.Now()) {
		m.reachNow()
	}
}

// jitter returns d, give or take an eighth, so that members that started together do not act together.
func jitter(d time.Duration) time.Duration {
	return d - d/8 + rand.N(d/4+1)
}
