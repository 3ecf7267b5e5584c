package quorum

import (
	"fmt"
	"strings"
)

// judge does what a node does with what its core says.
func (p *player) judge() {
	old := p.v
	p.breakRules()
	p.v = p.core.Judge(p.w.now)
	if p.v != old {
		p.w.log("   %s: %+v waits %v passed %d", p.name, p.v, p.core.waits, p.core.passed)
	}
	if p.v.LeftOut && !p.w.rules.keepLeftOut {
		p.drop()
	}
	switch p.v.Mode {
	case Settled:
		if p.limited {
			p.drop()
			p.limited = false
		}
		if p.owns(p.view) && (p.w.now >= p.v.OwnFrom || p.w.rules.noWait) {
			if !p.held && p.w.rules.early {
				p.has, p.value = true, p.begun
			}
			p.held = true
		}
	case Minority, HalfOfTwo:
		if !p.limited && p.w.now >= p.v.Right {
			p.drop()
			p.limited = true
		}
	}
	if p.w.broke == "" {
		p.w.check()
	}
}

// breakRules makes the core of a broken build forget what it leaves out.
func (p *player) breakRules() {
	c, r := p.core, p.w.rules
	if r.votes && c.number > 0 {
		c.vote = Yes
	}
	for _, h := range c.heard {
		if r.unnumbered {
			h.last = 0
		}
		if r.anyRight {
			h.stood = max(h.stood, h.confirmed)
		}
	}
	if r.anyRight && c.mode == Unsettled {
		stood := func(h *heard) int64 { return h.stood }
		if sent, ok := c.saidYes(c.view.Members, len(c.view.Members)/2+1, p.w.now, stood); ok {
			c.right = max(c.right, c.rightFrom(sent))
		}
	}
}

func (p *player) acts() bool {
	return !p.dead && p.held && !p.limited && p.owns(p.view) && p.w.now < p.v.Right
}

// halves reports whether a member answers writes with nil as half of two.
func (p *player) halves() bool {
	return !p.dead && p.limited && p.v.Mode == HalfOfTwo && p.w.now < p.v.Limited && p.owns(p.view)
}

// check looks whether two members act: half beside half may.
func (w *world) check() {
	var who, halves []string
	for _, p := range w.all {
		if p.acts() {
			who = append(who, p.name)
		} else if p.halves() {
			halves = append(halves, p.name)
		}
	}
	if len(who) > 1 || len(who) == 1 && len(halves) > 0 {
		w.broke = fmt.Sprintf("%v act, %v as halves", who, halves)
	}
}

// write writes the key at a member and reports whether it returned nil.
func (p *player) write() bool {
	p.judge()
	if !p.acts() && !p.halves() {
		return false
	}
	p.w.row++
	p.has = false
	p.w.log("%s writes %d acts %v", p.name, p.w.row, p.acts())
	if p.acts() {
		p.w.acked = p.w.row
	}
	return true
}

// beginWrite calls the Writer of a member that acts; endWrite is when it returns,
// and reports whether the write returned nil.
func (p *player) beginWrite() { p.writing = p.acts() }

func (p *player) endWrite() bool {
	p.judge()
	if !p.writing {
		return false
	}
	p.writing = false
	p.w.row++
	p.has = false
	p.w.log("%s's Writer wrote %d acts %v", p.name, p.w.row, p.acts())
	if !p.acts() && !p.w.rules.oneLook {
		return false
	}
	p.w.acked = p.w.row
	return true
}

// read reads the key at a member that acts.
func (p *player) read() {
	p.judge()
	if !p.acts() {
		return
	}
	if !p.has {
		p.has, p.value = true, p.w.row
		p.w.log("%s loads %d", p.name, p.w.row)
	}
	if p.value < p.w.acked && p.w.broke == "" {
		p.w.broke = fmt.Sprintf("%s serves %d, %d was written", p.name, p.value, p.w.acked)
	}
}

func (w *world) pass(d int64) {
	w.now += d
	for _, p := range w.all {
		if !p.dead {
			p.judge()
		}
	}
}

// mode fails the test unless the named members' views settled so.
func (w *world) mode(want Mode, names string) {
	w.t.Helper()
	for _, name := range strings.Fields(names) {
		if p := w.all[name]; p.v.Mode != want {
			w.t.Errorf("%s: %v, want %v", name, p.v.Mode, want)
		}
	}
	if w.broke != "" {
		w.t.Error(w.broke)
	}
}
