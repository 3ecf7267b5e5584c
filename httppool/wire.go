package httppool

import "encoding/binary"

// Frame types. See doc.go for the layouts.
const (
	frameRequest  = 1
	frameResponse = 2
	frameData     = 3
	frameCancel   = 4
	frameGoaway   = 5
	framePing     = 6
	framePong     = 7
	frameSkip     = 8 // a request withdrawn while it still waited to be written
	// Answers to calls of the connection that this one is the carrier of.
	frameCarriedResponse = 9
	frameCarriedData     = 10
)

const (
	headerSize = 8
	// readBuffer holds any frame but data frames as a whole.
	readBuffer = 64 << 10
	maxBody    = readBuffer - headerSize
	// wideBuffer replaces it on the calling side once a large value arrived.
	wideBuffer = 256 << 10
	// inlineMax is the largest value that travels inside its request or response
	// frame. A larger one follows in data frames, so that small frames pass between.
	inlineMax = 32 << 10
	chunkMax  = 64 << 10
	// growMin is what the first bytes of a large value make the reader allocate.
	growMin = 256 << 10
	// maxPartial is how many large requests may be under way at once on a connection.
	maxPartial = 4
)

// frameHeader is the fixed start of every frame.
type frameHeader struct {
	kind uint8
	size int // bytes of the body that follows
	id   uint32
}

func putHeader(b []byte, kind uint8, id uint32, size int) {
	binary.LittleEndian.PutUint32(b, uint32(size)|uint32(kind)<<24)
	binary.LittleEndian.PutUint32(b[4:], id)
}

func appendHeader(b []byte, kind uint8, id uint32, size int) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(size)|uint32(kind)<<24)
	return binary.LittleEndian.AppendUint32(b, id)
}

// parseHeader reads the header in b, which holds at least headerSize bytes, and
// checks the size against what the type allows, before anything is allocated.
func parseHeader(b []byte) (frameHeader, error) {
	w := binary.LittleEndian.Uint32(b)
	h := frameHeader{kind: uint8(w >> 24), size: int(w & 0xffffff), id: binary.LittleEndian.Uint32(b[4:])}
	limit := 0
	switch h.kind {
	case frameRequest, frameResponse, frameSkip, frameCarriedResponse:
		limit = maxBody
	case frameData, frameCarriedData:
		limit = chunkMax
	case frameCancel, frameGoaway, framePing, framePong:
	default:
		return h, badFrame(badType, "frame type %d", h.kind)
	}
	if h.size > limit {
		return h, badFrame(badSize, "a frame of type %d announces %d bytes, the limit is %d", h.kind, h.size, limit)
	}
	if limit == chunkMax && h.size == 0 {
		return h, badFrame(badGarbage, "empty data frame")
	}
	return h, nil
}

// cursor reads varints from the head of a body. After a failed read it stays failed.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) byte() uint8 {
	if len(c.b) == 0 {
		c.bad = true
		return 0
	}
	v := c.b[0]
	c.b = c.b[1:]
	return v
}

func (c *cursor) uvarint() uint64 {
	if len(c.b) > 0 && c.b[0] < 0x80 {
		v := c.b[0]
		c.b = c.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.bad = true
		c.b = nil
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) varint() int64 {
	u := c.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func appendVarint(b []byte, v int64) []byte {
	return binary.AppendUvarint(b, uint64(v)<<1^uint64(v>>63))
}

// bufferMax is how many bytes may wait to be written. Requests beyond wait in line,
// uncopied, with their callers, and answers with theirs.
const bufferMax = 256 << 10
