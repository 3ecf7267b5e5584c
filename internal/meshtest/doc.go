// Package meshtest runs whole meshes in one process, over a network in memory
// with seeded faults, records what clients see, and lets a checker decide whether
// that history was linearizable.
//
// A run is made of a [Mesh], an [Origin] that stands for the database, clients
// that use the mesh, and a [History]. Everything random in it draws from one
// seed. Runs belong in a testing/synctest bubble: its clock makes delays free.
package meshtest
