// Package httppool carries calls between the members of a mesh over HTTP
// connections, both ends.
//
// A [Pool] is one member's share of it: an http.Handler that answers peers, and a
// [Peer] for each address to call. A call is a [Request] answered by a [Response]; what
// they mean is up to the [Handler]. A connection starts as an HTTP/1.1 Upgrade, so TLS
// and a server's own middleware apply, and then carries many concurrent calls in both
// directions of the stream as small binary frames.
//
// # Outcome of a call
//
// A nil error means that a response arrived. Any other is a [*CallError], whose Sent
// tells the one thing that matters about a failed write: false guarantees that no handler
// saw the request. Only such calls are ever repeated, once. A handler whose context ended
// may still have its answer arrive just before the caller's own deadline, so it must answer
// with a Status that says so.
//
// # Handshake
//
//	client: GET /_cachemesh/peer HTTP/1.1      or /_cachemesh/gossip for a raw stream
//	        Connection: Upgrade
//	        Upgrade: cachemesh/1
//	        Cachemesh-Id: base64url(id)        at most 512 bytes
//	        Cachemesh-Nonce: base64url(32 random bytes)
//	        Cachemesh-Limits: 4096 67108864    largest key and value it accepts
//	        Cachemesh-Mesh: base64url(name)    only if the mesh has a name
//	        Cachemesh-Addr: base64url(addr)    at which peers reach it
//	        Cachemesh-Auth: hmac-sha256        only with a secret
//	        Cachemesh-Carries: base64url(nonce) only of a carrier: the nonce of its connection
//	server: HTTP/1.1 101, the same Upgrade, Id, Nonce, Limits, Mesh and Addr of its own, the
//	        same Carries if it knows that connection of this caller, and
//	        Cachemesh-Proof: base64url(HMAC-SHA256(secret, role, …))
//	client: one byte 1 and its own 32-byte proof, or 33 zeros if the server's is wrong;
//	        without a secret a ping, which shows that a peer is there
//
// A proof covers the role (server or client), the protocol, the path, both nonces, both
// ids and, if there is one, both names of the mesh, each with its length. A client may accept
// proofs of several secrets, and answers with one of the secret that the server showed.
// Without a secret the last two steps are left out; if only one
// end has one, the server answers 403 with the reason. Nothing that follows is read as a
// frame before the proof was checked. The proof guards the opening of a connection; only
// TLS guards its bytes. Another version of the protocol is answered 426, another mesh 403, and
// a caller that has the server's own address under another id 409.
//
// Whoever has not come so far is a stranger: a connection has DialTimeout for all of the
// above, and at most 256 of them are open at a time, apart from MaxConns. When there are
// more, the oldest of the host with the most (an IPv4 address, an IPv6 network of 64 bits)
// is closed, so that strangers who hold connections do not keep a peer out. Pool.Listener
// counts from the moment of Accept; behind a server of the user's own, from the request.
//
// # Frames
//
// Numbers are little-endian; uvarint and zigzag varint are those of encoding/binary.
//
//	bytes 0–2  length of the body
//	byte  3    type
//	bytes 4–7  id of the call; the client chooses it, unique among its unanswered calls
//
//	1 request   body at most 64 KiB − 8:
//	            op, flags, present, group length: one byte each;
//	            key length, value length: uvarint;
//	            if present has bit 0: view uvarint, 1: TTL varint ns, 2: arg uvarint,
//	            3: caller's remaining time uvarint µs;
//	            group, key, and the value if it has at most 32 KiB
//	2 response  body at most 64 KiB − 8:
//	            status, flags, present: one byte each; value length: uvarint;
//	            if present has bit 0: view uvarint, 1: TTL varint ns, 2: lease varint ns,
//	            3: version uvarint, 4: message length uvarint (at most 4096);
//	            message, and the value if it has at most 32 KiB
//	3 data      1 to 64 KiB more of the value of a request or response above 32 KiB,
//	            until all of its length has come; frames of other calls may come between
//	4 cancel    client: the caller left. The call is answered none the less
//	5 goaway    server: no new calls, please; close when the last is answered
//	6 ping      client: answered at once by
//	7 pong
//	8 skip      client: a request that was withdrawn before it was written; no answer
//	9, 10       on a carrier: a response, and data, for a call of the other connection
//
// Every request but a skipped one is answered exactly once. Anything else — an unknown
// type, a length over its limit, an id that is not under way, a fifth large request at a
// time, an end inside a frame — closes the connection and is counted in Stats.BadFrames.
// A later version of the protocol takes another name in Upgrade.
//
// # Carriers
//
// A value above 128 KiB goes over a connection of its own, the carrier, so that small calls
// do not wait behind the megabytes of it that kernels have taken already. The client opens
// it when the first such value is sent or comes, if ConnsPerPeer allows. Requests with
// such values are calls of the carrier like any other; answers with such values to calls
// of the first connection come over the carrier as frames 9 and 10, and nothing of them
// over the first. Both connections end together. A server that does not confirm Carries
// gets no less: the second connection is one like the first. See carrier.go.
//
// # Bounds
//
// A length is checked before it is believed, and memory for a large value grows with the
// bytes that arrived: 256 KiB, then doubling. Each serving connection holds at most
// MaxConcurrent calls, four times MaxValue of request bytes (at least 16 MiB; a carrier twice as many), 64 large
// answers by reference, and about 320 KiB of answers waiting to be written; then it stops
// reading. Each calling connection holds at most 65536 calls, and 256 KiB of requests
// waiting to be written; those beyond wait uncopied with their callers, in the order in
// which they came. What a burst of calls took is given back within some looks at the connection.
// Calls beyond these go over the peer's next connection, are answered StatusOverloaded or fail
// with ErrOverloaded. A connection reads
// through 64 KiB, at its calling end through 256 KiB after the first answer above 32 KiB.
//
// # Liveness
//
// A call ends with its context whatever the peer does. A connection with unanswered calls
// is pinged after half of SilenceTimeout without a byte from the peer, and dropped after
// all of it; one without calls is dropped after IdleTimeout by the client, and after twice that
// by the server. A server drops a caller that takes no byte of its answers for SilenceTimeout. With
// Patience it is pinged at the first look at which nothing came, and the peer is silent when nothing came for so
// long: idempotent calls end then, and no call is sent to it until a byte comes; see silent.go.
package httppool
