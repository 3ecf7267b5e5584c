// Command first is the first program of README.md: one instance of a service that reads users.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/praveenduddu/cachemesh"
)

func loadUser(ctx context.Context, id string) (string, error) {
	fmt.Println("loading user", id) // SELECT … FROM users WHERE id = $1
	return "user " + id, nil
}

func main() {
	node, err := cachemesh.New(cachemesh.Options{}) // in production: ListenAddr, BootstrapNodes, Secret
	if err != nil {
		log.Fatal(err)
	}
	users, err := cachemesh.NewGroup(node, "users", loadUser, cachemesh.GroupOptions[string]{TTL: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	if err := node.Start(); err != nil { // returns once this instance is a member
		log.Fatal(err)
	}
	for range 2 {
		user, err := users.Get(context.Background(), "42")
		fmt.Println(user, err)
	}
	if err := node.Shutdown(context.Background()); err != nil { // leaves in order
		log.Fatal(err)
	}
}
