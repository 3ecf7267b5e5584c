package membership

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
)

func testDelegate(t *testing.T) (*delegate, *table) {
	tb := newTable(Member{Name: "self", Boot: 1, Life: 1})
	d := &delegate{name: "self", boot: 1, table: tb, journal: newJournal(slog.New(slog.DiscardHandler)),
		said: make(map[string]struct{}), reach: func() {}}
	return d, tb
}

func memberNode(name string, m meta, state memberlist.NodeStateType) *memberlist.Node {
	return &memberlist.Node{Name: name, Addr: net.IPv4(10, 0, 0, 7), Port: 3000, Meta: m.encode(), State: state}
}

// TestOvertakenAnnouncement delivers a member's departure without the announcement before it.
func TestOvertakenAnnouncement(t *testing.T) {
	for _, c := range []struct {
		boot  uint64
		state memberlist.NodeStateType
		clean bool
	}{
		{7, memberlist.StateLeft, true},
		{7, memberlist.StateDead, false},
		{6, memberlist.StateLeft, false}, // an earlier run left; this one crashed
	} {
		d, tb := testDelegate(t)
		d.NotifyJoin(memberNode("x", meta{boot: 7, life: 1}, memberlist.StateAlive))
		tb.take()
		left := memberNode("x", meta{boot: c.boot, life: 1, leaving: true}, c.state)
		if err := d.NotifyMerge([]*memberlist.Node{left}); err != nil {
			t.Fatal(err)
		}
		d.NotifyLeave(memberNode("x", meta{boot: 7, life: 1}, memberlist.StateAlive))
		if v := tb.take(); len(v.Gone) != 1 || v.Gone[0].Clean != c.clean {
			t.Errorf("%+v: gone %+v", c, v.Gone)
		}
	}
}

func TestMembersAreBounded(t *testing.T) {
	d, tb := testDelegate(t)
	for i := range maxMembers {
		name := string(rune('a'+i%26)) + time.Duration(i).String()
		n := memberNode(name, meta{boot: 7, life: 1}, memberlist.StateAlive)
		if err := d.NotifyAlive(n); err != nil {
			t.Fatalf("member %d: %v", i, err)
		}
		d.NotifyJoin(n)
	}
	n := memberNode("one too many", meta{boot: 7, life: 1}, memberlist.StateAlive)
	if err := d.NotifyAlive(n); err == nil {
		t.Error("a member beyond the bound was taken")
	}
	known := memberNode("a0s", meta{boot: 8, life: 1}, memberlist.StateAlive)
	if err := d.NotifyAlive(known); err != nil {
		t.Errorf("a known member may not restart: %v", err)
	}
	if n := len(tb.take().Members); n != maxMembers+1 {
		t.Errorf("%d members", n)
	}
}

// TestDeadLifeStaysHidden follows one member through death and return, as another sees it.
func TestDeadLifeStaysHidden(t *testing.T) {
	d, tb := testDelegate(t)
	reached := 0
	d.reach = func() { reached++ }
	alive := func(boot uint64, life uint32) {
		d.NotifyJoin(memberNode("x", meta{boot: boot, life: life}, memberlist.StateAlive))
	}
	members := func() int { return len(tb.take().Members) }

	alive(7, 1)
	if n := members(); n != 2 {
		t.Fatalf("%d members", n)
	}
	d.NotifyLeave(memberNode("x", meta{boot: 7, life: 1}, memberlist.StateAlive))
	if list := tb.absences(); members() != 1 || len(list) != 1 || list[0] != (absence{"x", 7, 1}) {
		t.Errorf("after its death: absences %+v", list)
	}
	if alive(7, 1); members() != 1 || reached != 1 {
		t.Errorf("the dead life is back, or was not called: %d calls", reached)
	}
	if alive(7, 2); members() != 2 || len(tb.absences()) != 0 {
		t.Error("the next life is not there, or still absent")
	}
	d.NotifyLeave(memberNode("x", meta{boot: 7, life: 2}, memberlist.StateAlive))
	if alive(8, 1); members() != 2 || len(tb.absences()) != 0 {
		t.Error("another run is not there, or still absent")
	}
}

func TestLostAddressesAreBounded(t *testing.T) {
	l := newLostAddrs()
	t0 := time.Now()
	at := func(i int) *peer {
		return &peer{Member: Member{Name: "n", Boot: uint64(i), Life: 1}, gossip: addrOf(i)}
	}
	for i := range maxLost + 10 {
		l.add(at(i), t0.Add(time.Duration(i)))
	}
	if len(l.addrs) != maxLost || l.lostAt(addrOf(0)) || !l.lostAt(addrOf(maxLost)) {
		t.Errorf("%d addresses, or not the latest", len(l.addrs))
	}
	if n := len(l.due(t0.Add(time.Second), time.Minute)); n != maxLostRound {
		t.Errorf("%d are tried in one round", n)
	}
	if n := len(l.due(t0.Add(lostRetention+time.Hour), time.Minute)); n != 0 || !l.empty() {
		t.Errorf("%d are due after the retention, %d kept", n, len(l.addrs))
	}
}

func TestLostAddressesBackOff(t *testing.T) {
	l := newLostAddrs()
	now := time.Now()
	l.add(&peer{gossip: addrOf(1)}, now)
	tries, end := 0, now.Add(time.Hour)
	for ; now.Before(end); now = now.Add(15 * time.Second) {
		tries += len(l.due(now, 15*time.Second))
	}
	if tries < 60 || tries > 66 {
		t.Errorf("%d attempts in an hour, want about one a minute", tries)
	}
	l.due(now, 15*time.Second)
	if !l.heard(addrOf(1), now) || len(l.due(now, 15*time.Second)) != 1 {
		t.Error("a packet from it does not make it due")
	}
	if l.heard(addrOf(1), now.Add(heardPause/2)) || l.heard(addrOf(2), now) {
		t.Error("too many packets count")
	}
}
