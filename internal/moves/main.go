// Command moves measures and checks the hand-over of many values that nobody could load
// again: a member joins, a member leaves, a member's Shutdown is cut off midway. Members
// are in this process, on the loopback interface.
//
//	go run ./internal/moves -values 8000000
//	go run ./internal/moves -values 8000000 -replicas 2
//
// It exits with 1 if a value is lost, or if a Shutdown names another number than is
// missing.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
)

func main() {
	values := flag.Int("values", 8_000_000, "how many values there are")
	replicas := flag.Int("replicas", 1, "how many members hold each; with more than one no Shutdown is cut off")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if err := play(*values, *replicas, log, func(format string, args ...any) { fmt.Printf(format+"\n", args...) }); err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}
