// Package kit is what tests build meshes of: nodes on a network in memory or on the
// loopback interface, groups on all of them, origins that are slow, fail or count, logs
// that can be read, networks that see every call, and waits for what members agree on.
//
// What it sees of a node's inside it sees through internal/seam. Any external test of this
// module may import it; tests inside a package that cachemesh imports cannot.
package kit
