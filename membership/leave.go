package membership

import (
	"context"
	"errors"
	"fmt"
)

// AnnounceLeaving makes peers see this member as leaving, while it stays reachable. It tells up to 32 peers directly,
// so that they know by the time it returns or moments later, and the others by gossip. Calling it again repeats that. It returns ctx's error
// if ctx was done first, ErrLeft and ErrClosed.
func (m *Membership) AnnounceLeaving(ctx context.Context) error {
	if err := m.state(); err != nil {
		return err
	}
	m.table.setLeaving()
	err := m.sync(ctx) // a view that says so, and then gossip
	if err == nil {
		m.tell(ctx)
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("membership: announcing to leave: %w", err)
	}
	return nil
}

// Leave leaves the mesh: it announces to leave if that was not done before, tells the peers that this member is gone,
// and gives gossip Config.LeaveLinger to tell those it could not reach itself. Call Close after it. This member cannot
// join again. It returns ctx's error if ctx was done first; calling it again is harmless. It must not be called from
// OnView.
func (m *Membership) Leave(ctx context.Context) error {
	if !m.table.selfMember().Leaving {
		if err := m.AnnounceLeaving(ctx); errors.Is(err, ErrClosed) {
			return err // after any other error, leaving is still better than crashing
		}
		if len(m.table.peerAddrs()) > maxTell {
			wait(ctx, m.cfg.LeaveLinger) // leaving would overtake the announcement, which gossip then drops
		}
	}
	if err := m.markLeft(); err != nil {
		return err
	}
	if !m.tell(ctx) && !wait(ctx, m.cfg.LeaveLinger) {
		return fmt.Errorf("membership: leaving: %w", ctx.Err())
	}
	return nil
}

// markLeft makes memberlist leave, and queue the news for gossip.
func (m *Membership) markLeft() error {
	m.mu.Lock()
	if m.closing {
		m.mu.Unlock()
		return ErrClosed // memberlist panics if it leaves after it was shut down
	}
	if m.left {
		m.mu.Unlock()
		return nil
	}
	m.left = true
	m.ops.Add(1)
	m.mu.Unlock()
	defer m.ops.Done()
	_ = m.list.Leave(noWait) // it always times out if there are peers, with the message queued
	return nil
}

// tell exchanges state with peers directly, and says whether it reached all.
func (m *Membership) tell(ctx context.Context) bool {
	peers := m.table.peerAddrs()
	all := len(peers) <= maxTell
	peers = peers[:min(len(peers), maxTell)]
	answered, _ := m.contactAll(ctx, peers)
	return all && len(answered) == len(peers)
}
