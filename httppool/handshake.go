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
	nonce []byte
	lim   limits
	auth  bool // it knows, or claims to know, a secret
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
	for _, part := range [][]byte{
		[]byte("cachemesh " + role), []byte(protocol), []byte(path),
		client.nonce, server.nonce, []byte(client.id), []byte(server.id),
	} {
		m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		m.Write(part)
	}
	return m.Sum(nil)
}

// header returns the lines that tell h to the other end.
func (h hello) header() string {
	return fmt.Sprintf("%s: %s\r\n%s: %s\r\n%s: %d %d\r\n",
		headerID, base64.RawURLEncoding.EncodeToString([]byte(h.id)),
		headerNonce, base64.RawURLEncoding.EncodeToString(h.nonce),
		headerLimits, h.lim.key, h.lim.value)
}

// parseHello reads what the other end told, in headers that get finds by name.
func parseHello(get func(string) string) (hello, error) {
	var h hello
	id, err := base64.RawURLEncoding.DecodeString(get(headerID))
	if err != nil || len(id) > MaxSelf {
		return h, errors.New(headerID + " is not an id")
	}
	h.id = string(id)
	h.nonce, err = base64.RawURLEncoding.DecodeString(get(headerNonce))
	if err != nil || len(h.nonce) != nonceSize {
		return h, errors.New(headerNonce + " is not a nonce")
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
