package quorum

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var worlds = flag.Int("worlds", 3000, "random worlds that TestExplore plays")

// A letter is a question under way, or its answer.
type letter struct {
	from, to *player
	q        Word
	sent     int64
	answer   *Word
}

// explore plays one random schedule: views of any kind adopted at any time,
// questions and answers late, time that passes, crashes, returns, leaves. It
// returns what was violated.
func explore(t testing.TB, seed uint64, r rules, trace bool) string {
	rnd := rand.New(rand.NewPCG(seed, 7))
	names := strings.Fields("0 1 2 3 4")[:2+rnd.IntN(4)]
	w := newWorldOf(t, r, names...)
	w.trace = trace
	w.settle(strings.Join(names, " "))
	if rnd.IntN(2) == 0 {
		w.start(fmt.Sprint(len(names)), false)
		names = append(names, fmt.Sprint(len(names)))
	}
	pick := func() *player { return w.all[names[rnd.IntN(len(names))]] }
	var post []letter
	crashed := false
	for range 150 {
		p := pick()
		switch n := rnd.IntN(100); {
		case n < 12: // some adopt a view
			var in []string
			for _, name := range names {
				if rnd.IntN(3) > 0 {
					in = append(in, name)
				}
			}
			if len(in) == 0 {
				in = names[:1]
			}
			v := w.view(strings.Join(in, " "))
			for _, name := range in {
				if rnd.IntN(4) > 0 && !w.all[name].dead {
					w.all[name].adopt(v, nil)
				}
			}
		case n < 20: // those who hold one view agree on it
			for _, a := range names {
				for _, b := range names {
					if a != b && w.all[a].view.ID == p.view.ID && w.all[b].view.ID == p.view.ID && rnd.IntN(8) > 0 {
						w.ask(a, b)
					}
				}
			}
		case n < 45:
			q := pick()
			if p != q && !p.dead && !q.dead {
				post = append(post, letter{from: p, to: q, q: w.carry(p.core.Say(q.core.cfg.Self.ID, w.now)), sent: w.now})
			}
		case n < 70:
			post = deliver(w, post, rnd)
		case n < 78:
			w.pass(rnd.Int64N(right))
		case n < 79:
			w.crash(p.name)
			crashed = true
		case n < 81 && p.dead:
			w.start(p.name, false)
		case n < 90:
			switch {
			case p.dead:
			case p.writing:
				p.endWrite()
			case rnd.IntN(3) == 0:
				p.beginWrite()
			default:
				p.write()
			}
		default:
			for _, name := range names {
				if !w.all[name].dead {
					w.all[name].read()
				}
			}
		}
		if w.broke != "" {
			return w.broke
		}
	}
	if crashed {
		return ""
	}
	// Whole again, without a crash it must come together.
	all := strings.Join(names, " ")
	w.settle(all)
	for _, name := range names {
		if m := w.all[name].v.Mode; m != Settled {
			return fmt.Sprintf("whole again, %s is %v", name, m)
		}
	}
	return w.broke
}

func deliver(w *world, post []letter, rnd *rand.Rand) []letter {
	if len(post) == 0 {
		return post
	}
	i := rnd.IntN(len(post))
	l := post[i]
	post[i] = post[len(post)-1]
	post = post[:len(post)-1]
	if l.from.dead || l.to.dead || w.all[l.from.name] != l.from || w.all[l.to.name] != l.to {
		return post
	}
	to := l.to.core.cfg.Self.ID
	if l.answer == nil {
		a := w.carry(l.to.core.Asked(l.q, w.now))
		l.to.judge()
		l.answer = &a
		return append(post, l)
	}
	l.from.core.Answered(to, l.q, l.sent, *l.answer, w.now)
	l.from.judge()
	return post
}

func TestExplore(t *testing.T) {
	for seed := range uint64(*worlds) {
		if broke := explore(t, seed, rules{}, false); broke != "" {
			explore(t, seed, rules{}, true)
			t.Fatalf("seed %d: %s", seed, broke)
		}
	}
}

// from is about where the first world is that shows something.
var from = map[string]uint64{"left out and not dropped": 1700, "one look at the right": 3300}

// Builds without a rule must be noticed.
func TestExploreNotices(t *testing.T) {
	for name, r := range map[string]rules{
		"no wait": {noWait: true}, "own base only": {ownBase: true}, "votes not counted": {ownBase: true, votes: true},
		"a right before settling": {anyRight: true}, "load begun early": {early: true}, "dead taken out": {deadOut: true},
		"left out and not dropped": {keepLeftOut: true}, "one look at the right": {oneLook: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := from[name]; seed < uint64(20**worlds); seed++ {
				if broke := explore(t, seed, r, false); broke != "" {
					t.Logf("%s: seed %d: %s", name, seed, broke)
					return
				}
			}
			t.Errorf("not noticed in %d worlds", 20**worlds)
		})
	}
}
