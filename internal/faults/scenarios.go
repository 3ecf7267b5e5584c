//go:build linux

package main

import (
	"context"
	"time"
)

// A scenario plays a fault on a mesh and reports what it did to callers.
type scenario struct {
	name    string
	members int
	play    func(ctx context.Context, m *mesh) error
	secret  []byte // of the members
}

var scenarios = []scenario{
	{"kill -9 of an owner", 5, killOwner, nil},
	{"SIGSTOP of a holder during a Delete", 3, stopHolder, nil},
	{"SIGSTOP of a holder of 1000 copies", 3, stopHolderOfMany, nil},
	{"SIGSTOP of a holder, again and again", 4, stopHolderAgainAndAgain, nil},
	{"a holder and an owner cut off from each other", 4, cutHolder, nil},
	{"SIGSTOP of an owner for 5 s", 5, stopOwner, nil},
	{"SIGSTOP of an owner, callers in a hurry", 3, stopOwnerInAHurry, nil},
	{"restart within 500 ms", 5, restart, nil},
	{"link down for 10 s", 5, linkDown, nil},
	{"black hole 3|2", 5, blackHole, nil},
	{"SIGSTOP of an owner, callers with 500 ms", 5, stopOwnerOfTheHasty, nil},
	{"restart at the address, after a while", 3, restartLater, nil},
	{"TCP lost, UDP alive", 4, loseTCP, nil},
	{"kill -9 of one of 3", 3, killOneOf, nil},
	{"kill -9 of one of 10", 10, killOneOf, nil},
	{"kill -9 of one of 3, values in 2 copies", 3, crashOneOfThree, nil},
	{"kill -9 of one of 5 after the other, 2 copies", 5, crashOneAfterTheOther, nil},
	{"kill -9 of two of 5 at once, 3 copies", 5, crashTwoAtOnce, nil},
	{"rolling deploy, and of another Secret", 5, deploy, oldSecret},
}

func killOwner(ctx context.Context, m *mesh) error {
	tr, err := m.warmTraffic(ctx)
	if err != nil {
		return err
	}
	defer tr.Stop()
	const victim = 2 // it owns a fifth of the keys
	tr.Ledger.Agree()
	m.kill(victim)
	if err := m.whole(ctx, []int{0, 1, 3, 4}, 10*time.Second, "the crash"); err != nil {
		return err
	}
	if err := wait(ctx, 3*time.Second); err != nil {
		return err
	}
	m.judge(tr, victim)
	return nil
}

func restart(ctx context.Context, m *mesh) error {
	tr, err := m.warmTraffic(ctx)
	if err != nil {
		return err
	}
	defer tr.Stop()
	const victim = 1
	tr.Ledger.Agree()
	m.kill(victim)
	began := time.Now()
	if err := m.start(ctx, victim); err != nil {
		return err
	}
	took := time.Since(began)
	out, err := m.recovered(ctx, tr, 10*time.Second, "the restart", 7*time.Second, victim)
	if err != nil {
		return err
	}
	late := began.Add(took + 3*time.Second)
	m.report(!out.LastReadError.After(late) && !out.LastWriteError.After(late), "0 errors after 3 s",
		"serving again %v after kill -9; %d writes failed until then", ms(took), out.WriteErrors)
	return nil
}
