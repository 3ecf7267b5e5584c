// Command twonodes starts two nodes that find each other, sets a key on one and gets it from the
// other: the quick start (../quickstart) without a sleep, and with its errors looked at. Start
// returns when a node is a member, so nothing has to be waited for.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/praveenduddu/cachemesh"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() (err error) {
	first, err := start(cachemesh.Options{ListenAddr: "127.0.0.1:0"}) // ":3000": it has no one to connect to
	if err != nil {
		return fmt.Errorf("node 1: %w", err)
	}
	defer func() { err = errors.Join(err, first.Shutdown(context.Background())) }()
	second, err := start(cachemesh.Options{
		ListenAddr:     "127.0.0.1:0",          // ":4000"
		BootstrapNodes: []string{first.Addr()}, // ":3000"
		RequireJoin:    true,                   // or Start would serve alone, and warn, if the first were not there
	})
	if err != nil {
		return fmt.Errorf("node 2: %w", err)
	}
	defer func() { err = errors.Join(err, second.Shutdown(context.Background())) }()

	if err := second.Set([]byte("hello"), []byte("world"), 10*time.Second); err != nil {
		return err
	}
	fmt.Println("Set 'hello' -> 'world' from Node 2")
	value, err := first.Get([]byte("hello"))
	if err != nil {
		return err
	}
	fmt.Printf("Got 'hello' -> '%s' from Node 1\n", value)
	return nil
}

// start returns a node that is a member. Of one that cannot start nothing is left.
func start(o cachemesh.Options) (*cachemesh.Node, error) {
	node, err := cachemesh.New(o)
	if err != nil {
		return nil, err
	}
	return node, node.Start()
}
