// Command faults runs members as real processes, each in a network namespace of
// its own, does to them what happens in production, and judges what callers see:
// kill -9, SIGSTOP, black holes in the routes, a link that goes down, TCP lost and UDP
// alive, rolling deploys.
//
// It needs Linux, root and the ip command of iproute2. All traffic stays inside
// namespaces that it makes and removes again, also when it is interrupted. It
// prints a table and exits with 1 if a scenario failed.
//
//	go run ./internal/faults [-run name] [-cut 60s] [-watch 60s] [-v]
package main
