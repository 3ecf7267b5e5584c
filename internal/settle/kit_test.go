//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package settle

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/membership"
)

const (
	testRight    = 3 * time.Second
	testMaxStale = 10 * time.Second
	testJoin     = 5 * time.Second
)

// A rig is the settler of the member "a" in a bubble. The others are cores that answer what
// it asks, and that adopt what a test says.
type rig struct {
	*Settler
	t     *testing.T
	epoch uint64
	clean []string // IDs of those that left in order by the latest view
	began time.Time

	mu      sync.Mutex // guards the fields below
	others  map[string]*other
	asked   []asking
	lost    []drop // DropLost
	eras    []uint32
	emptied []*view.View
	owned   []*view.View
	owed    int
	moving  bool
	move    bool // values do
	renewed []string
	forgot  []string
	kept    []string
	dial    map[string]error
	dialled int
	unheld  int             // of these, those while nobody seeks
	far     net.Conn        // the other end of the last connection
	limits  []time.Duration // for which calls may last
	seeds   []membership.Seed
	revived int
	dropped func() // called by DropBefore
	logged  bytes.Buffer
}

// asking is one that the settler asked.
type asking struct {
	to string
	at time.Duration
}

type drop struct {
	members string
	others  bool
}

// other is a member beside "a".
type other struct {
	core   *quorum.Core
	down   bool
	status uint8
	holds  bool          // it adopts what "a" adopts
	block  chan struct{} // answers wait for it
	lie    func(w *quorum.Word)
}

func id(name string) string { return name + "#1" }

func gossiped(name string) membership.Member {
	return membership.Member{Name: strings.TrimPrefix(name, "-"), Addr: strings.TrimPrefix(name, "-") + ":1", Boot: 1, Life: 1,
		Leaving: strings.HasPrefix(name, "-")}
}

// inBubble runs f with a rig whose clock is the bubble's.
func inBubble(t *testing.T, change func(o *Options), f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, others: make(map[string]*other), dial: make(map[string]error), began: time.Now()}
		l, now := life.New(), new(clock.Clock)
		now.Start()
		time.Sleep(time.Hour) // no time is 0
		r.began = time.Now()
		state, writes := view.NewState(l, now, testMaxStale)
		o := Options{
			Self:  quorum.Member{ID: id("a"), Name: "a", Addr: "a:1", Life: 1},
			Right: testRight, Lease: time.Second, MaxStale: testMaxStale, JoinTimeout: testJoin, ForgetAfter: 100 * time.Second,
			Alone: true, Dial: r.dials, Life: l, Clock: now, State: state, Write: writes,
			Log: slog.New(slog.NewTextHandler(&locked{r: r}, nil)),
		}
		if change != nil {
			change(&o)
		}
		r.Settler = New(o, r, ways{r})
		if err := l.Start(); err != nil || !l.Serve() {
			t.Fatal(err)
		}
		f(r)
		r.mu.Lock()
		for _, o := range r.others {
			if o.block != nil {
				close(o.block)
			}
		}
		r.mu.Unlock()
		l.Close()
		l.Wait()
	})
}

// locked is where the log goes.
type locked struct{ r *rig }

func (l *locked) Write(b []byte) (int, error) {
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	return l.r.logged.Write(b)
}

// says returns how often the log has a text.
func (r *rig) says(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Count(r.logged.String(), text)
}

// runs begins what the settler does.
func (r *rig) runs() { r.life.Go(r.Run); synctest.Wait() }

// pass lets time pass.
func (r *rig) pass(d time.Duration) { time.Sleep(d); synctest.Wait() }

func (r *rig) other(name string) *other {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.others[name]
	if o == nil {
		o = &other{holds: true, core: quorum.New(quorum.Config{Self: quorumMember(gossiped(name)), Right: int64(testRight), Lease: int64(time.Second),
			Unreachable: int64(unreachable), ForgetAfter: int64(100 * time.Second)})}
		r.others[name] = o
	}
	return o
}

// adopt is a view of the membership. Who is in it adopts it too. A minus is a departure.
func (r *rig) adopt(names string, change ...func(v *membership.View)) *view.View {
	r.epoch++
	mv := &membership.View{Epoch: r.epoch}
	for _, name := range strings.Fields(names) {
		mv.Members = append(mv.Members, gossiped(name))
		if name != "a" {
			r.other(strings.TrimPrefix(name, "-"))
		}
	}
	if r.gossiped != nil {
		for _, m := range r.gossiped.Members {
			if !strings.Contains(" "+strings.ReplaceAll(names, "-", "")+" ", " "+m.Name+" ") {
				mv.Gone = append(mv.Gone, membership.Departure{Member: m})
			}
		}
	}
	for _, f := range change {
		f(mv)
	}
	r.clean = nil
	for _, d := range mv.Gone {
		if d.Clean {
			r.clean = append(r.clean, d.Member.ID())
		}
	}
	soon := view.New(quorumMembers(mv.Members), nil, id("a"), ways{r}.Peer, false)
	r.follow(soon)
	r.Adopt(mv)
	v := r.state.View()
	if v != nil && v.ID != soon.ID {
		r.follow(v)
	}
	return v
}

// follow has the others adopt what "a" adopted.
func (r *rig) follow(v *view.View) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.others {
		if o.holds {
			o.core.Adopt(quorum.View{ID: v.ID, Members: v.Members}, r.clean, r.clock.Now())
		}
	}
}
