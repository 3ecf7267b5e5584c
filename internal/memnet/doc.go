// Package memnet is a network in memory: many hosts in one process, for tests
// of whole meshes, in real time and in testing/synctest bubbles.
//
// A [Network] has hosts, each with a name and an IPv4 address. A [Host] listens
// and dials as the operating system does: streams are buffered, ordered and
// never lost, packets may be late, reordered or lost, and addresses are
// *net.TCPAddr and *net.UDPAddr.
//
// Faults are applied to the running network: latency, loss, cut links,
// partitions, streams that stall, are refused or hung up on while packets pass,
// hosts that are paused or killed. Each link draws from generators
// seeded by the network's seed and the names of its two hosts, so traffic on
// one link does not change what happens on another: the same packets in the
// same order on a link meet the same fate.
//
// Caveats:
//   - Nothing runs in the background, but time-dependent delivery uses the
//     clock of whoever created the network. Create it in the bubble that uses it.
//   - Waiting is by condition variables, channels and timers, which a bubble
//     counts as durably blocked.
//   - A link that is cut one way holds back what flows that way. There are no
//     acknowledgements, so the other direction of a stream is not affected; a
//     new stream cannot be opened, for that takes both.
//   - A paused host still runs: only its network stands still, which is all that
//     others can see of a suspended process.
package memnet
