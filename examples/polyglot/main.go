// Polyglot is one cache from three languages: a service in Go and one in Node, each with a
// member of the mesh beside it, and a shell. Redis clients talk to their own member, curl to
// whichever; what one of them writes the others read at once.
//
//	npm ci --prefix examples/polyglot/node && go run ./examples/polyglot
//
// It builds the program cachemesh, starts two members, does what a small shop does, and
// prints each step. It needs Node 20 and curl, and ends with 1 if a step went wrong.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	program := flag.String("cachemesh", "", "the program (default: it is built)")
	node := flag.String("node", "examples/polyglot/node", "where the service in Node is")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	err := run(ctx, *program, *node)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "polyglot:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, program, nodeDir string) error {
	dir, err := os.MkdirTemp("", "polyglot")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if program == "" {
		if program, err = build(ctx, dir); err != nil {
			return err
		}
	}
	a, err := startMember(ctx, program, "")
	if err != nil {
		return err
	}
	defer a.stop()
	b, err := startMember(ctx, program, a.mesh)
	if err != nil {
		return err
	}
	defer b.stop()
	fmt.Printf("two members: %s beside the service in Go, %s beside the one in Node\n\n", a.redis, b.redis)

	goShop := newGoShop(a.redis)
	defer goShop.close()
	nodeShop, err := startNodeShop(ctx, nodeDir, b.redis)
	if err != nil {
		return err
	}
	defer nodeShop.close()
	return play(ctx, goShop, nodeShop, curl{b.http})
}
