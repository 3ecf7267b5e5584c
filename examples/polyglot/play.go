package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// A shop is a service, or a person with a shell, that uses the cache. do runs a command and
// returns the answer as text, "(nil)" for nothing.
type shop interface {
	name() string
	do(ctx context.Context, command ...string) (string, error)
}

// A step is what somebody does, and what has to come of it.
type step struct {
	by      shop
	command []string
	want    string
	why     string
}

const perService = 500 // steps of the counter

// play does what the services do, and checks what each of them sees.
func play(ctx context.Context, inGo, inNode, byHand shop) error {
	total := fmt.Sprint(2 * perService)
	steps := []step{
		{inGo, []string{"SET", "price:tea", "4.20", "EX", "60"}, "OK", "Go caches a price"},
		{inNode, []string{"GET", "price:tea"}, "4.20", "Node reads it from the member beside it"},
		{byHand, []string{"GET", "price:tea"}, "4.20", "so does curl"},
		{inNode, []string{"SET", "price:tea", "4.50", "EX", "60"}, "OK", "Node changes it"},
		{inGo, []string{"GET", "price:tea"}, "4.50", "Go never sees the old one again"},
		{byHand, []string{"DEL", "price:tea"}, "", "curl forgets it"},
		{inGo, []string{"GET", "price:tea"}, "(nil)", "gone for Go"},
		{inNode, []string{"GET", "price:tea"}, "(nil)", "and for Node"},
		{inNode, []string{"SET", "order:7", "Node", "NX"}, "OK", "Node is first"},
		{inGo, []string{"SET", "order:7", "Go", "NX"}, "(nil)", "Go is not"},
	}
	for _, s := range steps {
		if err := s.run(ctx); err != nil {
			return err
		}
	}
	done := make(chan error, 2)
	for _, by := range []shop{inGo, inNode} {
		go func() {
			_, err := by.do(ctx, "count", "visits", fmt.Sprint(perService))
			done <- err
		}()
	}
	if err := errors.Join(<-done, <-done); err != nil {
		return err
	}
	return step{byHand, []string{"GET", "visits"}, total, fmt.Sprintf("Go and Node counted %d visits each, at once", perService)}.run(ctx)
}

func (s step) run(ctx context.Context) error {
	got, err := s.by.do(ctx, s.command...)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", s.by.name(), strings.Join(s.command, " "), err)
	}
	fmt.Printf("%-5s %-28s %-7s %s\n", s.by.name(), strings.Join(s.command, " "), got, s.why)
	if got != s.want {
		return fmt.Errorf("%s: %s: got %q, want %q", s.by.name(), strings.Join(s.command, " "), got, s.want)
	}
	return nil
}
