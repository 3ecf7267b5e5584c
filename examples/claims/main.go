// Three members, in one process here, and three hundred callers that want the same key, each
// with a loader of its own: one of them runs.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	groups, stop, err := start(ctx, 3)
	defer stop()
	if err != nil {
		return err
	}
	if err := readTogether(ctx, groups); err != nil {
		return err
	}
	return claim(ctx, groups)
}

// readTogether has many callers read one key at once.
func readTogether(ctx context.Context, groups []*cachemesh.Group[string]) error {
	var all sync.WaitGroup
	failed := make(chan error, 300)
	for caller := range 300 {
		all.Go(func() {
			_, err := groups[caller%3].GetOr(ctx, "42", func(ctx context.Context, id string) (string, error) {
				fmt.Println("one loader ran, for", id)
				time.Sleep(50 * time.Millisecond) // a query
				return "user " + id, nil
			})
			if err != nil {
				failed <- err
			}
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		return err
	}
	v, err := groups[0].Get(ctx, "42")
	fmt.Println("all have it:", v, err)
	return nil
}

// claim loads a key without a function, and comes too late.
func claim(ctx context.Context, groups []*cachemesh.Group[string]) error {
	won, err := groups[1].Claim(ctx, "43", cachemesh.ClaimOptions{Hold: 10 * time.Second})
	if err != nil {
		return err
	}
	other, err := groups[2].Claim(ctx, "43", cachemesh.ClaimOptions{})
	if err != nil {
		return err
	}
	fmt.Println("the claims are:", won.State, other.State)
	if err := groups[0].Delete(ctx, "43"); err != nil { // somebody has changed the row
		return err
	}
	err = won.Fill(ctx, "what the row was", 0)
	fmt.Println("stored after a Delete:", err == nil, "- void:", errors.Is(err, cachemesh.ErrClaimVoid))
	return nil
}

// start starts members that know each other. The function that it returns stops those that run.
func start(ctx context.Context, n int) (groups []*cachemesh.Group[string], stop func(), err error) {
	var nodes []*cachemesh.Node
	stop = func() {
		for _, n := range nodes {
			n.Close()
		}
	}
	var seeds []string
	for i := range n {
		node, err := cachemesh.New(cachemesh.Options{Name: fmt.Sprint("member ", i), BootstrapNodes: seeds})
		if err != nil {
			return nil, stop, err
		}
		nodes = append(nodes, node)
		seeds = append(seeds, node.Addr())
		g, err := cachemesh.NewGroup[string](node, "users", nil, cachemesh.GroupOptions[string]{Cache: true, TTL: time.Minute})
		if err != nil {
			return nil, stop, err
		}
		groups = append(groups, g)
		if err := node.Start(); err != nil {
			return nil, stop, err
		}
	}
	for _, node := range nodes {
		for s := node.Stats(); s.Members < n || !s.Settled; s = node.Stats() {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
				return nil, stop, ctx.Err()
			}
		}
	}
	return groups, stop, nil
}
