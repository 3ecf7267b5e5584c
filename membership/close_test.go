package membership

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestCloseWithEverything(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(3)
		n := nodes[2]
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() { n.Join(t.Context()) })
			calls.Go(func() { n.AnnounceLeaving(t.Context()) })
			calls.Go(func() { n.Leave(t.Context()) })
			calls.Go(func() { n.Close() })
			calls.Go(func() { n.View(); n.Stats() })
		}
		calls.Wait()
		if _, err := n.Join(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Join after Close: %v", err)
		}
		if err := n.AnnounceLeaving(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("AnnounceLeaving after Close: %v", err)
		}
		if n.View() == nil || n.Stats().Epoch == 0 {
			t.Error("no view after Close")
		}
		near, far := net.Pipe()
		n.ServeStream(far)
		if _, err := near.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("a stream after Close: %v, want it closed", err)
		}
	})
}

func TestLeaveAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		n := c.mesh(2)[1]
		n.Close()
		if err := n.Leave(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Leave: %v", err)
		}
	})
}

// TestCloseEndsAJoin closes a member whose join hangs, and cancels another's.
func TestCloseEndsAJoin(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		c.start(1)
		a, b := c.launch(2, seedsAt(1)), c.launch(3, seedsAt(1))
		c.net.partition(1, a.addr, b.addr)
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 2)
		go func() { _, err := a.Join(t.Context()); errs <- err }()
		go func() { _, err := b.Join(ctx); errs <- err }()
		synctest.Wait()
		start := time.Now()
		a.Close()
		if err := <-errs; !errors.Is(err, ErrClosed) {
			t.Errorf("Join of a closed member: %v", err)
		}
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled Join: %v", err)
		}
		if d := time.Since(start); d > 0 {
			t.Errorf("that took %v", d)
		}
	})
}

func TestStreamsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newStreams(ctx, nil, func(netip.AddrPort) string { return "" })
		var ends []net.Conn
		start := time.Now()
		for range streamBacklog + 1 {
			near, far := net.Pipe()
			ends = append(ends, near)
			s.serve(far)
		}
		if d := time.Since(start); d != streamTake {
			t.Errorf("nobody took the last one, and serve returned after %v", d)
		}
		closed := func(c net.Conn) bool {
			c.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := c.Read(make([]byte, 1))
			return err == io.EOF
		}
		if !closed(ends[streamBacklog]) || closed(ends[0]) {
			t.Error("want the last one closed, and only that")
		}
		for range maxStreams - streamBacklog {
			near, far := net.Pipe()
			ends = append(ends, near)
			s.enter(far, true)
		}
		if closed(ends[0]) {
			t.Error("a stream was closed before there were too many")
		}
		near, far := net.Pipe()
		ends = append(ends, near)
		if s.enter(far, true) == nil || !closed(ends[0]) || closed(ends[1]) {
			t.Error("want the oldest of too many closed, and only that")
		}
		for range maxStreams { // the peers' are no hindrance
			if _, far = net.Pipe(); s.enter(far, false) == nil {
				t.Fatal("an own stream was refused")
			}
		}
		if _, far = net.Pipe(); s.enter(far, false) != nil {
			t.Errorf("an own stream beyond %d was taken", maxStreams)
		}
		cancel()
		s.closeAll()
		if !closed(ends[1]) || len(s.conns) != 0 {
			t.Error("closeAll left streams open")
		}
	})
}
