package quorum

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	second = int64(time.Second)
	right  = 3 * second
)

// A world is a mesh of cores and one key, which the least member of a view owns.
// Its members act as a node does: see player.
type world struct {
	t     testing.TB
	now   int64
	all   map[string]*player
	row   int // version of the key's row in the origin
	acked int // newest version whose write returned nil
	broke string
	rules rules
	trace bool // log what happens
}

// rules are what a broken build leaves out.
type rules struct {
	noWait      bool // who gains a key owns it as soon as the view settled
	ownWord     bool // nobody says how long it, or those it waits for, may act yet
	ownBase     bool // the others' votes are not asked for
	votes       bool // nor is one's own
	anyRight    bool // others' yes counts before the view settled, and whatever they voted for since
	early       bool // a load that began before the key was owned is stored
	names       bool // another run under a name is the same member
	deadOut     bool // the dead are taken out of the sets that votes are counted in
	keepLeftOut bool // who was left out drops nothing
	untold      bool // nobody says that it went on without another
	unnumbered  bool // nor does a newer primary say so
	oneLook     bool // after the Writer has returned nobody looks whether the right still stands
}

// A player is a member with what it holds of the key.
type player struct {
	w       *world
	name    string
	run     int
	core    *Core
	view    View
	held    bool // the key is its own: in the primary in which it took it, in every view since, and now
	limited bool // it serves as a minority
	writing bool // its Writer runs
	begun   int  // what a load read that began when it adopted the view
	has     bool
	value   int
	v       Verdict
	dead    bool
}

func newWorld(t testing.TB, names ...string) *world { return newWorldOf(t, rules{}, names...) }

func newWorldOf(t testing.TB, r rules, names ...string) *world {
	w := &world{t: t, now: second, all: make(map[string]*player), rules: r}
	for i, name := range names {
		w.start(name, i == 0)
	}
	return w
}

// start begins a run of a member, which may found a mesh if told so.
func (w *world) start(name string, founder bool) *player {
	p := &player{w: w, name: name}
	if old := w.all[name]; old != nil {
		p.run = old.run + 1
	}
	p.core = New(Config{Self: w.member(p), Right: right, Lease: second, Unreachable: 3 * second, ForgetAfter: 900 * second})
	p.core.GiveUp()
	if founder {
		p.core.Found()
	}
	w.all[name] = p
	return p
}

func (w *world) member(p *player) Member {
	run := p.run
	if w.rules.names {
		run = 0
	}
	return Member{ID: fmt.Sprintf("%s#%d", p.name, run), Name: p.name, Addr: p.name + ":1"}
}

// log notes what happens in a schedule that failed.
func (w *world) log(format string, args ...any) {
	if w.trace {
		w.t.Logf("%8.3f "+format, append([]any{float64(w.now) / float64(second)}, args...)...)
	}
}

// view returns the view of members; a name with a minus is leaving.
func (w *world) view(names string) View {
	var v View
	h := fnv.New64a()
	for _, name := range strings.Fields(names) {
		m := w.member(w.all[strings.TrimPrefix(name, "-")])
		m.Leaving = strings.HasPrefix(name, "-")
		v.Members = append(v.Members, m)
	}
	slices.SortFunc(v.Members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	for _, m := range v.Members {
		fmt.Fprint(h, m.ID, m.Leaving, ";")
	}
	v.ID = h.Sum64() | 1
	return v
}

func (p *player) owns(v View) bool {
	for _, m := range v.Members {
		if !m.Leaving {
			return m.ID == p.core.cfg.Self.ID
		}
	}
	return false
}

// adopt makes members adopt the view of names; all of them if who is empty.
func (w *world) adopt(names, who string, clean ...string) {
	v := w.view(names)
	if who == "" {
		who = strings.ReplaceAll(names, "-", "")
	}
	for _, name := range strings.Fields(who) {
		w.all[name].adopt(v, clean)
	}
}

func (p *player) adopt(v View, clean []string) {
	if !p.owns(v) || !p.held {
		p.drop()
	}
	p.w.log("%s adopts %v (held %v)", p.name, v.Members, p.held)
	p.core.Adopt(v, clean, p.w.now)
	p.view, p.begun = v, p.w.row
	p.judge()
}

func (p *player) drop() { p.held, p.has = false, false }

// ask carries one question and its answer.
func (w *world) ask(from, to string) {
	a, b := w.all[from], w.all[to]
	if a.dead || b.dead {
		return
	}
	q := w.carry(a.core.Say(b.core.cfg.Self.ID, w.now))
	sent := w.now
	ans := w.carry(b.core.Asked(q, w.now))
	b.judge()
	a.core.Answered(b.core.cfg.Self.ID, q, sent, ans, w.now)
	a.judge()
}

// carry is what a word says in a broken build.
func (w *world) carry(word Word) Word {
	if w.rules.ownWord {
		word.RightLeft, word.WaitsLeft = 0, 0
	}
	if w.rules.ownBase && word.Number > 0 {
		word.Vote = Yes
	}
	if w.rules.untold {
		word.TakenIn = 0
	}
	return word
}

// crash ends a member.
func (w *world) crash(name string) {
	dead := w.all[name]
	dead.dead = true
	if !w.rules.deadOut {
		return
	}
	out := func(set []Member) []Member {
		return slices.DeleteFunc(slices.Clone(set), func(m Member) bool { return m.ID == dead.core.cfg.Self.ID })
	}
	for _, p := range w.all {
		p.core.last.Set = out(p.core.last.Set)
		for i := range p.core.tried {
			p.core.tried[i].Set = out(p.core.tried[i].Set)
		}
	}
}

// talk lets all of the named ask each other, often enough to agree on whatever
// they can agree on.
func (w *world) talk(names string) {
	list := strings.Fields(names)
	for range 4 {
		for _, a := range list {
			for _, b := range list {
				if a != b {
					w.ask(a, b)
				}
			}
		}
	}
}

// settle makes the named adopt a view of themselves and talk.
func (w *world) settle(names string, clean ...string) {
	w.adopt(names, "", clean...)
	w.talk(strings.ReplaceAll(names, "-", ""))
}
