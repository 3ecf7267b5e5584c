package quorum

import "testing"

// A member that was taken for ended, or was forgotten, and is back, is not gone
// the next time that it is missing.
func TestEndedAndBack(t *testing.T) {
	for name, gone := range map[string]func(c *Core, id string){"refused": (*Core).Ended, "forgotten": (*Core).Forget} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "0", "1", "2", "3", "4")
			w.settle("0 1 2 3 4")
			w.settle("0 1")
			for _, p := range []string{"0", "1"} {
				for _, id := range []string{"2#0", "3#0", "4#0"} {
					gone(w.all[p].core, id) // its port was closed for a moment
				}
			}
			w.adopt("0 1 2 3 4", "")
			w.talk("0 1 2 3 4")
			w.mode(Settled, "0 1 2 3 4")
			w.pass(2 * right)
			w.talk("0 1 2 3 4")
			w.settle("0 1")
			w.settle("2 3 4")
			w.mode(Minority, "0 1")
			w.mode(Settled, "2 3 4")
		})
	}
}

// A right that lapsed while others may have been the majority is no reason to keep
// what is held, though all of them are over now.
func TestReleasedAndLapsed(t *testing.T) {
	w := newWorld(t, "0", "1", "2")
	w.settle("0 1 2")
	w.all["0"].read()
	w.settle("1 2") // 0 gossips with them, and cannot be called: its view stays
	w.pass(2 * right)
	w.talk("1 2")
	writes(t, w, "1", true)
	w.start("1", false)
	w.start("2", false)
	w.settle("0 1 2")
	w.mode(Settled, "0 1 2")
	w.all["0"].read()
	w.mode(Settled, "0")
}

// One of two that restarts within the other's right costs nothing.
func TestReleasedInTime(t *testing.T) {
	w := newWorld(t, "0", "1")
	w.settle("0 1")
	w.talk("0 1")
	w.all["0"].read()
	w.settle("0")
	w.pass(second)
	w.start("1", false)
	w.settle("0 1")
	w.mode(Settled, "0 1")
	if !w.all["0"].has {
		t.Error("0 dropped what it holds")
	}
}
