package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// showWrites changes and deletes a row through the first member and reads it
// through the last, and leaves the table as it was.
func showWrites(ctx context.Context, s *screen, clients []*client, places []Place) (err error) {
	first, last := clients[0], clients[len(clients)-1]
	old := places[len(places)/2]
	defer func() {
		if err != nil { // Ctrl-C perhaps, between two steps
			err = errors.Join(err, first.putPlace(context.WithoutCancel(ctx), old))
		}
	}()
	steps := writeSteps{ctx: ctx, s: s, first: first, last: last}

	s.printf("\nWrites through %s, and at once a read through %s:", first.name, last.name)
	grown := old
	grown.Population += 1000
	if err := steps.row(fmt.Sprintf("update %s to %s inhabitants", old.Name, thousands(grown.Population)), old.ID, &grown,
		func() error { return first.putPlace(ctx, grown) }); err != nil {
		return err
	}
	if err := steps.row("delete "+old.Name, old.ID, nil,
		func() error { return first.deletePlace(ctx, old.ID) }); err != nil {
		return err
	}
	if err := steps.row("insert "+old.Name+" again, as it was", old.ID, &old,
		func() error { return first.putPlace(ctx, old) }); err != nil {
		return err
	}
	return steps.note(old, "market day on Thursday")
}

// writeSteps makes one write after the other and checks what a reader sees.
type writeSteps struct {
	ctx         context.Context
	s           *screen
	first, last *client
}

// hotReads make a key hot enough for its reader to hold a copy.
const hotReads = 50

// row changes a row and reads it; want is nil if it must be gone. The reader has
// the old value at hand: it asks for it often before the write.
func (w writeSteps) row(title string, id int64, want *Place, write func() error) error {
	for range hotReads {
		if _, err := w.last.place(w.ctx, id); err != nil && !errors.Is(err, errAbsent) {
			return fmt.Errorf("%s: %w", title, err)
		}
	}
	start := time.Now()
	if err := write(); err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	took := short(time.Since(start))
	l, err := w.last.place(w.ctx, id)
	switch {
	case want == nil && errors.Is(err, errAbsent):
		w.s.printf("  %s: %s, then: not found", title, took)
	case want == nil && err == nil:
		return fmt.Errorf("%s: %s still answers %+v", title, w.last.name, l.place)
	case err != nil:
		return fmt.Errorf("%s: %w", title, err)
	case l.place != *want:
		return fmt.Errorf("%s: %s answers %+v", title, w.last.name, l.place)
	default:
		w.s.printf("  %s: %s, then: %s, %s inhabitants", title, took, l.place.Name, thousands(l.place.Population))
	}
	return nil
}

// note sets a value that no database holds, in the group without a loader.
func (w writeSteps) note(p Place, text string) error {
	title := fmt.Sprintf("set a note on %s, kept in the mesh alone", p.Name)
	start := time.Now()
	if err := w.first.putNote(w.ctx, p.key(), text); err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	took := short(time.Since(start))
	got, err := w.last.note(w.ctx, p.key())
	if err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	if got != text {
		return fmt.Errorf("%s: %s answers %q", title, w.last.name, got)
	}
	w.s.printf("  %s: %s, then: %q", title, took, got)
	return nil
}
