package membership

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// host runs a member on real sockets: a TCP listener whose connections are all gossip streams, and UDP on its port.
type host struct {
	*Membership
	*recorder
	ln       net.Listener
	accepted sync.WaitGroup
}

func startHost(t testing.TB, name string, change ...func(*Config)) *host {
	t.Helper()
	ln, packets := listenBoth(t)
	h := &host{recorder: newRecorder(t), ln: ln}
	cfg := Config{
		Name: name, Addr: ln.Addr().String(), Packets: packets, OnView: h.onView,
		DialStream: func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		},
	}
	for _, f := range change {
		f(&cfg)
	}
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.Membership = m
	h.accepted.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			m.ServeStream(conn)
		}
	})
	t.Cleanup(h.kill)
	return h
}

// kill ends the member as a crash would.
func (h *host) kill() {
	h.ln.Close()
	h.accepted.Wait()
	h.Close()
}

// listenBoth binds a TCP port and the UDP port of its number on loopback.
func listenBoth(t testing.TB) (net.Listener, net.PacketConn) {
	t.Helper()
	var errs []error
	for range 20 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		packets, err := net.ListenPacket("udp", ln.Addr().String())
		if err == nil {
			return ln, packets
		}
		ln.Close()
		errs = append(errs, err)
	}
	t.Fatal(errors.Join(errs...))
	return nil, nil
}

// startHosts runs n members that know each other.
func startHosts(t testing.TB, n int, change ...func(*Config)) []*host {
	t.Helper()
	var hosts []*host
	for i := range n {
		if i > 0 {
			change = append(change[:len(change):len(change)], seedAddr(hosts[0].cfg.Addr))
		}
		h := startHost(t, fmt.Sprintf("h%d", i), change...)
		if _, err := h.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, h)
	}
	for _, h := range hosts {
		h.await(5*time.Second, func(v *View) bool { return len(v.Members) == n })
	}
	return hosts
}

func seedAddr(addr string) func(*Config) { return func(cfg *Config) { cfg.Seeds = []string{addr} } }

// await waits for a view that pred accepts.
func (r *recorder) await(limit time.Duration, pred func(*View) bool) *View {
	r.t.Helper()
	timeout := time.After(limit)
	for {
		r.mu.Lock()
		more := r.more
		r.mu.Unlock()
		if v := r.find(pred); v != nil {
			return v
		}
		select {
		case <-more:
		case <-timeout:
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Fatalf("not within %v; the last view is %+v", limit, r.views[len(r.views)-1])
		}
	}
}

func goneIn(id string) func(*View) bool {
	return func(v *View) bool {
		for _, d := range v.Gone {
			if d.Member.ID() == id {
				return true
			}
		}
		return false
	}
}

func TestLoopbackCrashIsSeenByAllInTime(t *testing.T) {
	hosts := startHosts(t, 5)
	dead := hosts[4]
	id := dead.View().Members[4].ID()
	late := lateness()
	dead.kill()
	start := time.Now()
	for _, h := range hosts[:4] {
		v := h.await(20*time.Second, goneIn(id))
		if v.Gone[0].Clean {
			t.Errorf("%s took the crash for a leave", h.cfg.Name)
		}
	}
	took, worst := time.Since(start).Round(time.Millisecond), late()
	t.Logf("crash seen by all after %v, while timers were up to %v late", took, worst)
	if took > 3*time.Second && worst < 50*time.Millisecond { // a starved process proves nothing about the protocol
		t.Errorf("it took %v", took)
	}
}

// lateness measures by how much this process's timers are late, until the function it returns is called.
func lateness() func() time.Duration {
	const period = 5 * time.Millisecond
	stop, result := make(chan struct{}), make(chan time.Duration)
	go func() {
		tick := time.NewTicker(period)
		defer tick.Stop()
		worst, last := time.Duration(0), time.Now()
		for {
			select {
			case <-tick.C:
				worst = max(worst, time.Since(last)-period)
				last = time.Now()
			case <-stop:
				result <- worst
				return
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		return <-result
	}
}

func TestLoopbackLeaveAndReturn(t *testing.T) {
	hosts := startHosts(t, 3, withSecret("swordfish"))
	leaver := hosts[2]
	id := leaver.View().Members[2].ID()
	start := time.Now()
	if err := leaver.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("Leave took %v", time.Since(start).Round(time.Millisecond))
	leaver.kill()
	for _, h := range hosts[:2] {
		if v := h.await(3*time.Second, goneIn(id)); !v.Gone[0].Clean {
			t.Errorf("%s took the leave for a crash", h.cfg.Name)
		}
	}
	back := startHost(t, "h2", withSecret("swordfish"), seedAddr(hosts[0].cfg.Addr)) // at another port
	if _, err := back.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	newID := back.table.selfMember().ID()
	for _, h := range hosts[:2] {
		h.await(3*time.Second, func(v *View) bool { return has(v, newID) })
	}
}

func TestLoopbackSeedByPortAlone(t *testing.T) {
	first := startHost(t, "first")
	_, port, _ := net.SplitHostPort(first.cfg.Addr)
	second := startHost(t, "second", seedAddr(":"+port))
	if n, err := second.Join(t.Context()); n != 1 || err != nil {
		t.Errorf("Join: %d, %v", n, err)
	}
	if s := second.Stats(); s.Members != 2 || s.StreamsOut == 0 || s.StreamBytesIn == 0 || s.StreamBytesOut == 0 {
		t.Errorf("stats %+v", s)
	}
}
