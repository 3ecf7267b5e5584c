package quorum

import "testing"

// TestAnswerOfAnotherRun: an answer counts from the run that was asked. Another one at
// its address, which remembers nothing, gives no right.
func TestAnswerOfAnotherRun(t *testing.T) {
	for name, from := range map[string]string{"the run that was asked": "1#0", "the next run": "1#1", "another member": "2#0"} {
		w := newWorld(t, "0", "1", "2")
		w.settle("0 1 2")
		w.talk("0 1 2")
		w.pass(2 * right)
		p, peer := w.all["0"], w.all["1"]
		question := p.core.Say("1#0", w.now)
		answer := peer.core.Asked(question, w.now)
		answer.From = from
		p.core.Answered("1#0", question, w.now, answer, w.now)
		if got, want := p.core.Judge(w.now).Right > w.now, from == "1#0"; got != want {
			t.Errorf("an answer of %s: a right %t, want %t", name, got, want)
		}
	}
}
