// Package meshtest runs whole meshes in one process, over a network in memory
// with seeded faults, records what clients see, and lets a checker decide whether
// that history was linearizable.
//
// A run is made of a [Mesh], an [Origin] that stands for the database, clients
// that use the mesh, and a [History]. Everything random in it draws from one
// seed.
//
// While members crash, are cut off or disagree, histories are not linearizable,
// and need not be. Then [Traffic] reads and writes through a [Stage], a mesh whose
// members come and go, and a [Ledger] finds values that are older than MaxStale
// allows, or older than they may be once the members agree again.
//
// Runs belong in a testing/synctest bubble: its clock makes delays free.
package meshtest
