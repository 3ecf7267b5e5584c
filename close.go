package cachemesh

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/route"
)

// Shutdown takes the node out of the mesh in order: it announces that it is
// leaving, so that its peers take over its keys before it goes, finishes what
// is under way, leaves, and closes. If ctx ends first it closes at once and
// returns ctx's error, after a second at most in which it hears whether values that
// it has sent were taken. If values that no loader could bring back could not be handed
// over, the error is a *LostError; but the last member of a mesh ends it, values and
// all, without an error. However many there are, it waits as long as others take them.
// It is safe to call more than once and after Close.
func (n *Node) Shutdown(ctx context.Context) error {
	var err error
	lost := n.lost.Load()
	if ms := n.membership(); ms != nil && n.state.View() != nil {
		if err = ms.AnnounceLeaving(ctx); err == nil {
			err = n.drain(ctx)
		}
		if err == nil {
			n.settler.AwaitVoted(ctx)
		}
		if err == nil {
			n.drainCalls(ctx)
			err = ms.Leave(ctx)
		}
	}
	if err != nil {
		n.mover.halt()
	}
	closed := n.close(err != nil)
	if lost = n.lost.Load() - lost; lost > 0 {
		err = &errs.LostError{Values: int(lost), Err: err}
	}
	return errors.Join(err, closed)
}

// drain waits until no load, no write and no Writer that it can wait for runs on
// this node any more, and what it alone holds is handed over. Loads whose value is not
// stored may follow each other for as long as somebody asks: those are waited for that
// were asked for before.
func (n *Node) drain(ctx context.Context) error {
	var unstored []<-chan struct{}
	for _, c := range n.groups.all() {
		unstored = append(unstored, c.Unstored()...)
	}
	for n.duties.Handing.Load() > 0 {
		if err := n.life.Pause(ctx, route.RetryFloor); err != nil {
			return err
		}
	}
	for _, c := range n.groups.all() {
		if err := c.AwaitIdle(ctx); err != nil {
			return err
		}
	}
	for _, done := range unstored {
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		case <-n.life.Closing():
			return errs.ErrClosed
		}
	}
	for n.duties.Telling.Load() > 0 {
		if err := n.life.Pause(ctx, route.RetryFloor); err != nil {
			return err
		}
	}
	return nil
}

// drainCallsTime bounds how long a node that leaves waits for peers to take their
// answers and hang up. One that does not is lost, or will ask its new owner.
const drainCallsTime = time.Second

// drainCalls lets every call of a peer that is under way be answered: cut off in
// the middle of a write, its caller could not know whether it was applied.
func (n *Node) drainCalls(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainCallsTime)
	defer cancel()
	if err := n.pool.Drain(ctx); err != nil {
		n.log.Debug("not every peer hung up before this member left", "err", err)
	}
}

// Close stops the node at once, as a crash would for its peers, and returns
// when nothing of it runs any more. Calls under way fail with ErrClosed. A
// loader that ignores its context is not waited for, and a log handler no longer
// than a second. It is safe to call more than once.
func (n *Node) Close() error { return n.close(false) }

// close is Close. If inDisorder, or if values are on their way to new owners, it counts
// what the node holds yet and nobody could load again.
func (n *Node) close(inDisorder bool) error {
	if !n.life.Close() {
		<-n.life.Ended()
		return nil
	}
	if ms := n.membership(); ms != nil {
		ms.Close()
	}
	if n.server != nil {
		n.server.Close()
	}
	if n.pool != nil {
		n.pool.Close()
	}
	if n.settler != nil {
		n.settler.Close()
	}
	if n.mover.cutOff() || inDisorder {
		n.loseHeld()
	}
	for _, c := range n.groups.all() {
		c.Close()
		c.Hot.Close()
	}
	n.sockets.close()
	n.life.Wait()
	n.logs.Close(logPatience)
	n.life.End()
	return nil
}

// logPatience bounds how long Close waits for the user's log handler to take what was
// logged. One that takes longer is left behind.
const logPatience = time.Second
