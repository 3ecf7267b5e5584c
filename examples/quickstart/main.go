// Command quickstart is the library's oldest program, which must go on working: two nodes, a Set and a Get. It
// ignores what Start returns and sleeps, neither of which a service should: examples/first and examples/twonodes
// show how it is done.
package main

import (
	"fmt"
	"log"
	"time"

	"github.com/praveenduddu/cachemesh"
)

func main() {
	// Get node port from command-line argument, e.g., ":3000"
	// Get bootstrap node from command-line argument, e.g., "localhost:3000"
	// For simplicity, we'll hardcode them here.

	// Node 1 configuration
	opts1 := cachemesh.Options{
		ListenAddr:     ":3000",
		BootstrapNodes: []string{}, // First node has no one to connect to initially
	}

	// Node 2 configuration
	opts2 := cachemesh.Options{
		ListenAddr:     ":4000",
		BootstrapNodes: []string{":3000"}, // Second node connects to the first
	}

	// In a real app, you'd run these in separate processes.
	// We use goroutines here to simulate it.
	node1, err := cachemesh.New(opts1)
	if err != nil {
		log.Fatalf("failed to create node 1: %v", err)
	}
	go node1.Start()

	node2, err := cachemesh.New(opts2)
	if err != nil {
		log.Fatalf("failed to create node 2: %v", err)
	}
	go node2.Start()

	// Let the nodes discover each other
	time.Sleep(2 * time.Second)

	// Set a key from Node 2
	key := []byte("hello")
	value := []byte("world")
	ttl := 10 * time.Second

	if err := node2.Set(key, value, ttl); err != nil {
		log.Fatalf("failed to set key: %v", err)
	}
	fmt.Println("Set 'hello' -> 'world' from Node 2")

	// Get the key from Node 1
	retrievedValue, err := node1.Get(key)
	if err != nil {
		log.Fatalf("failed to get key: %v", err)
	}

	fmt.Printf("Got '%s' -> '%s' from Node 1\n", key, retrievedValue)
}
