package main

import (
	"context"
	"fmt"
	"time"
)

// outageKeys is how many places are looked up, over and over, through a crash.
const outageKeys = 3000

// outageLimit is within what time after a crash every survivor must have
// answered for every key.
const outageLimit = 3 * time.Second

// An outage is what callers of the survivors noticed of a crash.
type outage struct {
	gets     int64
	answered time.Duration // from the crash until every survivor had answered every key
	longest  time.Duration // the slowest look-up from the crash until the mesh was whole
	whole    time.Duration // from the crash until every survivor's view was without the dead
	after    time.Duration // the slowest look-up of a pass over all keys after that
}

// showOutage kills the last member and reports what happened.
func showOutage(ctx context.Context, s *screen, m *mesh, places []Place) error {
	victim := m.processes[len(m.processes)-1]
	places = places[:min(outageKeys, len(places))]
	s.printf("\nKilling %s (SIGKILL) while the others are asked for %s …", victim.name, plural(len(places), "place"))
	o, err := crash(ctx, m, len(m.processes)-1, places)
	if err != nil {
		return err
	}
	s.printf("  every survivor had answered every place %v after the kill; no look-up failed, of %s", short(o.answered), thousands(o.gets))
	s.printf("  the longest look-up took %s; the mesh was whole again after %v", short(o.longest), short(o.whole))
	s.printf("  and the longest of one more pass over all places took %s", short(o.after))
	return nil
}

// crash kills a member while the survivors are asked for the places all the
// time, until the survivors agree that it is gone. A look-up that fails or
// returns a wrong place is an error, and so is a breach of outageLimit.
func crash(ctx context.Context, m *mesh, victim int, places []Place) (o outage, err error) {
	clients := survivors(m, victim)
	running, stop := make(chan struct{}), make(chan struct{})
	var made []pass
	asking := make(chan error, 1)
	go func() {
		var err error
		made, err = passes(ctx, clients, places, running, stop)
		asking <- err
	}()
	select {
	case <-running:
	case err := <-asking:
		return o, err
	}
	killed := time.Now()
	m.processes[victim].kill()
	viewErr := m.awaitView(ctx, len(clients))
	o.whole = time.Since(killed)
	close(stop)
	if err := <-asking; err != nil {
		return o, err
	}
	if viewErr != nil {
		return o, viewErr
	}
	o.judge(made, killed)
	if o.answered > outageLimit {
		return o, fmt.Errorf("every place was answered only %v after the crash, want at most %v", o.answered, outageLimit)
	}
	return o, nil
}

// judge sums up the passes around a crash. The last began when the mesh was
// whole again.
func (o *outage) judge(made []pass, killed time.Time) {
	last := made[len(made)-1]
	o.after = last.longest
	for _, p := range made[:len(made)-1] {
		if p.ended.After(killed) {
			o.gets += p.gets
			o.longest = max(o.longest, p.longest)
		}
	}
	for _, p := range made {
		if p.begun.After(killed) {
			o.answered = p.ended.Sub(killed)
			return
		}
	}
}

func survivors(m *mesh, victim int) (clients []*client) {
	for i, c := range m.clients {
		if i != victim && m.processes[i].alive() {
			clients = append(clients, c)
		}
	}
	return clients
}

// A pass is one look-up of every place through every survivor.
type pass struct {
	begun, ended time.Time
	gets         int64
	longest      time.Duration // of the look-ups, over HTTP
}

// passes makes one pass after the other. It closes running after the first and
// returns after the first that began when stop was closed.
func passes(ctx context.Context, clients []*client, places []Place, running chan<- struct{}, stop <-chan struct{}) (made []pass, err error) {
	for {
		last := false
		select {
		case <-stop:
			last = true
		default:
		}
		d := newDriver(clients, places)
		p := pass{begun: time.Now()}
		if err := d.everything(ctx); err != nil {
			return made, err
		}
		p.ended, p.gets = time.Now(), d.done.Load()
		for k := range d.seen {
			d.seen[k].sort()
			p.longest = max(p.longest, quantile(d.seen[k].total, 1))
		}
		made = append(made, p)
		if len(made) == 1 {
			close(running)
		}
		if last {
			return made, nil
		}
	}
}
