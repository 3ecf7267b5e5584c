package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// demonstrate is the whole story: the database, the members, look-ups, the
// count, writes. Whatever ends it, no process and no temporary file stays.
func demonstrate(ctx context.Context, f flags, s *screen) (err error) {
	dsn, tempDir := f.dsn, ""
	if dsn == "" {
		if tempDir, err = os.MkdirTemp("", "cachemesh-readthrough-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(tempDir)) }()
		dsn = filepath.Join(tempDir, "places.db")
	}
	o, places, err := setUp(ctx, dsn, f.places, s)
	if err != nil {
		if f.dsn != "" && ctx.Err() == nil {
			err = usageError{fmt.Errorf("-dsn: %w", err)}
		}
		return err
	}
	defer o.close()
	m, err := launch(ctx, f.members, dsn, tempDir, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	if err := measure(ctx, f, s, m, places); err != nil {
		return err
	}
	if err := showWrites(ctx, s, m.clients, places); err != nil {
		return err
	}
	if f.kill {
		if err := showOutage(ctx, s, m, places); err != nil {
			return err
		}
	}
	invite(ctx, f, s, m, places[0])
	return nil
}

// setUp opens the database, fills it if it has no table yet, with no more than
// limit places unless that is 0, and reads what the answers must be.
func setUp(ctx context.Context, dsn string, limit int, s *screen) (o *origin, places []Place, err error) {
	if o, err = openOrigin(ctx, dsn); err != nil {
		return nil, nil, err
	}
	s.printf("Database: %s", o.name)
	found, err := o.hasTable(ctx)
	switch {
	case err != nil:
	case found:
		s.printf("It has a table cachemesh_places already, which is used as it is.")
	default:
		err = importPlaces(ctx, o, limit, s)
	}
	if err == nil {
		places, err = o.all(ctx)
	}
	if err == nil && len(places) < minPlaces {
		err = fmt.Errorf("%s: table cachemesh_places has %d rows; drop it to have it filled", o.name, len(places))
	}
	if err != nil {
		o.close()
	}
	return o, places, err
}

// minPlaces is what the demonstration needs to have something to show.
const minPlaces = 100

func importPlaces(ctx context.Context, o *origin, limit int, s *screen) error {
	places, err := readPlaces()
	if err != nil {
		return err
	}
	if limit > 0 {
		places = places[:min(limit, len(places))]
	}
	start := time.Now()
	var rows atomic.Int64
	return s.during("Importing places of the world (© GeoNames, CC BY)", func() string {
		return fmt.Sprintf("%s of %s rows in %v", thousands(rows.Load()), thousands(int64(len(places))), short(time.Since(start)))
	}, func() error { return o.fill(ctx, places, &rows) })
}

// launch starts the members and says where they are.
func launch(ctx context.Context, n int, dsn, tempDir string, s *screen) (*mesh, error) {
	start := time.Now()
	m, err := startMesh(ctx, n, dsn, tempDir)
	if err != nil {
		return nil, err
	}
	s.printf("\n%d processes of the service, one mesh, ready in %v:", n, short(time.Since(start)))
	for _, p := range m.processes {
		s.printf("  %-9s  pid %-7d  HTTP %s   mesh %s", p.name, p.cmd.Process.Pid, p.ready.HTTP, p.ready.Peer)
	}
	s.printf("")
	return m, nil
}

// measure makes the look-ups and reports what they cost.
func measure(ctx context.Context, f flags, s *screen, m *mesh, places []Place) error {
	d := newDriver(m.clients, places)
	for _, phase := range []struct {
		title string
		n     int
		run   func(context.Context) error
	}{
		{fmt.Sprintf("Popular places, Zipf(%v), each look-up to the next member", zipfExponent), f.gets,
			func(ctx context.Context) error { return d.popular(ctx, f.gets) }},
		{"Every place from every member, all members at the same time", len(places) * len(m.clients), d.everything},
	} {
		start, from := time.Now(), d.done.Load()
		err := s.during(phase.title, func() string { return d.progress(from, int64(phase.n), start) },
			func() error { return phase.run(ctx) })
		if err != nil {
			return err
		}
	}
	stats, err := m.stats(ctx)
	if err != nil {
		return err
	}
	s.printf("\n%s", statsTable(stats))
	s.printf("%s", latencyTable(d))
	return check(s, d, stats)
}

// invite says how to try it by hand, and with -serve waits for Ctrl-C.
func invite(ctx context.Context, f flags, s *screen, m *mesh, p Place) {
	if !f.serve {
		s.printf("\nTo try it by hand, keep it running: go run ./examples/readthrough -serve")
		return
	}
	s.printf("\nThe members stay up until Ctrl-C. Ask any of them; the headers tell who answered and how:")
	for i, c := range m.clients {
		if m.processes[i].alive() {
			s.printf("  curl -i %s/place/%d", c.base, p.ID)
		}
	}
	s.printf("  curl %s/stats", m.clients[0].base)
	<-ctx.Done()
}

// plural is for sentences that count.
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return thousands(int64(n)) + " " + word + "s"
}
