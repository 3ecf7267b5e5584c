package httppool

import (
	"encoding/hex"
	"testing"
	"time"
)

// TestLayout pins the bytes that members of other builds will see.
func TestLayout(t *testing.T) {
	req := Request{Op: 1, Flags: 2, View: 300, Group: "gr", Key: "key", Value: []byte("v"), TTL: time.Microsecond, Arg: 5}
	resp := Response{Status: 1, Flags: 2, View: 300, TTL: -1, Lease: 1, Version: 7, Value: []byte("v"), Message: "m"}
	client := hello{id: "c", nonce: make([]byte, nonceSize)}
	server := hello{id: "s", nonce: make([]byte, nonceSize)}
	for name, test := range map[string]struct {
		got  []byte
		want string
	}{
		"request": {appendRequest(nil, 0x01020304, &req, 1500*time.Nanosecond),
			"12000001" + "04030201" + "01020f02" + "0301" + "ac02" + "d00f" + "05" + "02" + "6772" + "6b6579" + "76"},
		"response": {appendResponse(nil, 0x01020304, &resp),
			"0c000002" + "04030201" + "01021f" + "01" + "ac02" + "01" + "02" + "07" + "01" + "6d" + "76"},
		"cancel": {appendHeader(nil, frameCancel, 1, 0), "0000000401000000"},
		"proof": {proof([]byte("secret"), "client", pathPeer, client, server),
			// computed by another implementation
			"0bdb71ce3aacb0089a75f54848f3481fc130e49f21ee42823e92811a02998097"},
	} {
		if got := hex.EncodeToString(test.got); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestProofsDiffer(t *testing.T) {
	a, b := hello{id: "a", nonce: newNonce()}, hello{id: "b", nonce: newNonce()}
	ab, ba := hello{id: "ab", nonce: a.nonce}, hello{id: "", nonce: b.nonce}
	seen := map[string]string{}
	for name, p := range map[string][]byte{
		"client":       proof([]byte("s"), "client", pathPeer, a, b),
		"server":       proof([]byte("s"), "server", pathPeer, a, b),
		"other secret": proof([]byte("t"), "client", pathPeer, a, b),
		"other path":   proof([]byte("s"), "client", pathStream, a, b),
		"other way":    proof([]byte("s"), "client", pathPeer, b, a),
		"ids run on":   proof([]byte("s"), "client", pathPeer, ab, ba),
		"other nonce":  proof([]byte("s"), "client", pathPeer, hello{id: "a", nonce: newNonce()}, b),
	} {
		if other, ok := seen[string(p)]; ok {
			t.Errorf("the proofs %q and %q are equal", name, other)
		}
		seen[string(p)] = name
	}
}
