package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A report prints a line.
type report func(format string, args ...any)

// play fills a member, lets another join and the first leave, and then cuts off the
// Shutdown of one of two members.
func play(values, replicas int, log *slog.Logger, say report) (err error) {
	m := &mesh{values: values, replicas: replicas, log: log, say: say}
	defer m.close()
	if err := m.join("a"); err != nil {
		return err
	}
	began := time.Now()
	if err := m.fill(); err != nil {
		return err
	}
	say("filled with %d values in %v", values, round(time.Since(began)))
	scenes := []func() error{
		func() error { return m.playJoin("a", "b") },
		func() error { return m.playLeave("a", "b") },
		func() error { return m.playJoin("b", "c") },
		func() error { return m.playCut("b", "c") },
	}
	if replicas > 1 {
		scenes = scenes[:3]
	}
	for _, scene := range scenes {
		if err := scene(); err != nil {
			return err
		}
	}
	return nil
}

func (m *mesh) playJoin(from, to string) error {
	moving := m.owned(to, from)
	w := m.watch(from, to)
	defer w.stop()
	began := time.Now()
	if err := m.join(to); err != nil {
		return err
	}
	if err := m.settle(2); err != nil {
		return err
	}
	took := time.Since(began)
	w.stop()
	missing, err := m.missing(to)
	m.say("%s joins %s: %d values moved in %v (%.0f a second), %d lost; %s", to, from, moving, round(took), float64(moving)/took.Seconds(), missing, w)
	return errors.Join(err, w.err, none(missing))
}

func (m *mesh) playLeave(who, other string) error {
	moving := m.owned(who, other)
	w := m.watch(other, who)
	defer w.stop()
	began := time.Now()
	if err := m.members[who].node.Shutdown(context.Background()); err != nil {
		return err
	}
	delete(m.members, who)
	if err := m.settle(1); err != nil {
		return err
	}
	took := time.Since(began)
	w.stop()
	missing, err := m.missing(other)
	m.say("%s leaves: %d values moved in %v (%.0f a second), %d lost; %s", who, moving, round(took), float64(moving)/took.Seconds(), missing, w)
	return errors.Join(err, w.err, none(missing))
}

// unheard is how many values more than are missing a Shutdown may name: those in two lists
// whose answers did not come in a second, on a machine that has much else to do.
const unheard = 2 * 2048

// playCut cuts a Shutdown off when about a quarter of the values are with the other.
func (m *mesh) playCut(who, other string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	left, rest := m.members[who], m.members[other]
	most := left.group.Stats().Entries * 3 / 4
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- left.node.Shutdown(ctx) }()
	for left.group.Stats().Entries > most {
		time.Sleep(time.Millisecond)
	}
	cancel()
	cut := time.Now()
	err := <-done
	m.say("the Shutdown of %s was cut off after %v, and returned %v later: %v", who, round(cut.Sub(began)), round(time.Since(cut)), err)
	delete(m.members, who)
	named := 0
	if le, ok := errors.AsType[*cachemesh.LostError](err); ok {
		named = le.Values
	}
	missing, err := m.missing(other)
	m.say("%d values are missing on %s, the error named %d", missing, rest.node.Name(), named)
	if missing > named || named-missing > unheard {
		err = errors.Join(err, errors.New("the Shutdown named another number than is missing"))
	}
	return err
}

func none(missing int) error {
	if missing > 0 {
		return fmt.Errorf("%d values are lost", missing)
	}
	return nil
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
