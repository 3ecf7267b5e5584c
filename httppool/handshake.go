package httppool

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What the two ends say to each other before frames flow; doc.go tells the story.
const (
	pathPeer   = "/_cachemesh/peer"
	pathStream = "/_cachemesh/gossip"
	protocol   = "cachemesh/1"

	headerID     = "Cachemesh-Id"
	headerNonce  = "Cachemesh-Nonce"
	headerAuth   = "Cachemesh-Auth" // names the proof a client asks for and will give
	headerProof  = "Cachemesh-Proof"
	headerLimits = "Cachemesh-Limits"
	headerMesh   = "Cachemesh-Mesh" // left out if the mesh has no name
	headerAddr   = "Cachemesh-Addr"
	authScheme   = "hmac-sha256"

	nonceSize = 32
	// The client's first bytes when there is a secret: a verdict on the server's
	// proof, and its own proof, or zeros with a refusal.
	verdictSize   = 1 + sha256.Size
	verdictAccept = 1
	verdictRefuse = 0
)

// hello is what one end told the other.
type hello struct {
	id    string
	addr  string // at which peers reach it; empty: it did not say
	mesh  string
	nonce []byte
	lim   limits
	auth  bool // it knows, or claims to know, a secret

	carries []byte // the nonce of the connection that this one is to be the carrier of; see carrier.go
}

// hello returns what this member tells about itself on one connection.
func (p *core) hello() hello {
	return hello{id: p.cfg.Self, addr: p.cfg.Addr, mesh: p.cfg.Mesh, nonce: newNonce(), lim: p.lim}
}

func newNonce() []byte {
	b := make([]byte, nonceSize)
	rand.Read(b) // never fails
	return b
}

// proof shows knowledge of secret for one connection. The role keeps either end from
// sending the other's proof back; the lengths keep ids from running into each other.
func proof(secret []byte, role, path string, client, server hello) []byte {
	m := hmac.New(sha256.New, secret)
	parts := [][]byte{
		[]byte("cachemesh " + role), []byte(protocol), []byte(path),
		client.nonce, server.nonce, []byte(client.id), []byte(server.id),
	}
	if client.mesh != "" || server.mesh != "" {
		parts = append(parts, []byte(client.mesh), []byte(server.mesh))
	}
	for _, part := range parts {
		m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		m.Write(part)
	}
	return m.Sum(nil)
}

// shown returns the secret that a server's proof shows, of those that this member accepts,
// or nil. The client proves the same one, so that the server needs to know no other.
func (p *core) shown(given []byte, path string, client, server hello) []byte {
	if hmac.Equal(given, proof(p.cfg.Secret, "server", path, client, server)) {
		return p.cfg.Secret
	}
	for _, s := range p.cfg.AcceptSecrets {
		if hmac.Equal(given, proof(s, "server", path, client, server)) {
			return s
		}
	}
	return nil
}

// header returns the lines that tell h to the other end.
func (h hello) header() string {
	lines := fmt.Sprintf("%s: %s\r\n%s: %s\r\n%s: %d %d\r\n",
		headerID, base64.RawURLEncoding.EncodeToString([]byte(h.id)),
		headerNonce, base64.RawURLEncoding.EncodeToString(h.nonce),
		headerLimits, h.lim.key, h.lim.value)
	if h.mesh != "" {
		lines += headerMesh + ": " + base64.RawURLEncoding.EncodeToString([]byte(h.mesh)) + "\r\n"
	}
	if h.addr != "" {
		lines += headerAddr + ": " + base64.RawURLEncoding.EncodeToString([]byte(h.addr)) + "\r\n"
	}
	return lines + carriesLine(h.carries)
}

// parseHello reads what the other end told, in headers that get finds by name.
func parseHello(get func(string) string) (hello, error) {
	var h hello
	id, err := base64.RawURLEncoding.DecodeString(get(headerID))
	if err != nil || len(id) > MaxSelf {
		return h, errors.New(headerID + " is not an id")
	}
	h.id = string(id)
	mesh, err := base64.RawURLEncoding.DecodeString(get(headerMesh))
	if err != nil || len(mesh) > maxMesh {
		return h, errors.New(headerMesh + " is not a name")
	}
	h.mesh = string(mesh)
	addr, err := base64.RawURLEncoding.DecodeString(get(headerAddr))
	if err != nil || len(addr) > MaxSelf {
		return h, errors.New(headerAddr + " is not an address")
	}
	h.addr = string(addr)
	h.nonce, err = base64.RawURLEncoding.DecodeString(get(headerNonce))
	if err != nil || len(h.nonce) != nonceSize {
		return h, errors.New(headerNonce + " is not a nonce")
	}
	h.carries, err = base64.RawURLEncoding.DecodeString(get(headerCarries))
	if n := len(h.carries); err != nil || n != 0 && n != nonceSize {
		return h, errors.New(headerCarries + " is not a nonce")
	}
	key, value, _ := strings.Cut(get(headerLimits), " ")
	h.lim.key, err = strconv.Atoi(key)
	if err != nil || h.lim.key < 0 || h.lim.key > maxMaxKey {
		return h, errors.New(headerLimits + " does not give limits")
	}
	h.lim.value, err = strconv.Atoi(value)
	if err != nil || h.lim.value < 0 || h.lim.value > maxMaxValue {
		return h, errors.New(headerLimits + " does not give limits")
	}
	switch get(headerAuth) {
	case "":
	case authScheme:
		h.auth = true
	default:
		return h, errors.New(headerAuth + " names an unknown scheme")
	}
	return h, nil
}

// headerCarries names the connection that a new one is to be the carrier of, and in the
// answer confirms it.
const headerCarries = "Cachemesh-Carries"

// carriesLine returns the header's line, or nothing.
func carriesLine(nonce []byte) string {
	if len(nonce) == 0 {
		return ""
	}
	return headerCarries + ": " + base64.RawURLEncoding.EncodeToString(nonce) + "\r\n"
}

// headerRefused names why a connection was refused, where the caller may want to know.
const (
	headerRefused = "Cachemesh-Refused"
	refusedAsFull = "full"
)
