package httppool

import (
	"encoding/binary"
	"time"
	"unsafe"
)

// Bits of the byte that says which optional fields a head carries.
const (
	hasView    = 1 << 0
	hasTTL     = 1 << 1
	hasArg     = 1 << 2 // requests
	hasTimeout = 1 << 3 // requests
	hasLease   = 1 << 2 // responses
	hasVersion = 1 << 3 // responses
	hasMessage = 1 << 4 // responses
)

// appendRequest encodes req as a request frame, with its value when that is at most
// inlineMax bytes. timeout is the caller's remaining time, 0: none.
func appendRequest(b []byte, id uint32, req *Request, timeout time.Duration) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, req.Op, req.Flags, 0, uint8(len(req.Group)))
	b = binary.AppendUvarint(b, uint64(len(req.Key)))
	b = binary.AppendUvarint(b, uint64(len(req.Value)))
	var has uint8
	if req.View != 0 {
		has |= hasView
		b = binary.AppendUvarint(b, req.View)
	}
	if req.TTL != 0 {
		has |= hasTTL
		b = appendVarint(b, int64(req.TTL))
	}
	if req.Arg != 0 {
		has |= hasArg
		b = binary.AppendUvarint(b, req.Arg)
	}
	if timeout > 0 {
		has |= hasTimeout
		// Rounded up, so that the peer never stops before the caller does.
		b = binary.AppendUvarint(b, uint64((timeout+time.Microsecond-1)/time.Microsecond))
	}
	b[start+headerSize+2] = has
	b = append(b, req.Group...)
	b = append(b, req.Key...)
	if len(req.Value) <= inlineMax {
		b = append(b, req.Value...)
	}
	putHeader(b[start:], frameRequest, id, len(b)-start-headerSize)
	return b
}

// decodeRequest parses the body of a request frame into req, whose fields then alias
// body. size is the value's length: above inlineMax req.Value is nil and the value
// follows in data frames.
func decodeRequest(body []byte, req *Request, lim limits) (size int, timeout time.Duration, err error) {
	c := cursor{b: body}
	req.Op, req.Flags = c.byte(), c.byte()
	has := c.byte()
	groupLen := uint64(c.byte())
	keyLen, valueLen := c.uvarint(), c.uvarint()
	req.View, req.TTL, req.Arg = 0, 0, 0
	if has&hasView != 0 {
		req.View = c.uvarint()
	}
	if has&hasTTL != 0 {
		req.TTL = time.Duration(c.varint())
	}
	if has&hasArg != 0 {
		req.Arg = c.uvarint()
	}
	if has&hasTimeout != 0 {
		const most = uint64(1<<63-1) / uint64(time.Microsecond)
		timeout = time.Duration(max(min(c.uvarint(), most), 1)) * time.Microsecond
	}
	switch {
	case c.bad || has > hasView|hasTTL|hasArg|hasTimeout:
		return 0, 0, badFrame(badGarbage, "request head cannot be read")
	case keyLen > uint64(lim.key):
		return 0, 0, badFrame(badSize, "key of %d bytes, the limit is %d", keyLen, lim.key)
	case valueLen > uint64(lim.value):
		return 0, 0, badFrame(badSize, "value of %d bytes, the limit is %d", valueLen, lim.value)
	}
	inline := valueLen
	if inline > inlineMax {
		inline = 0
	}
	if uint64(len(c.b)) != groupLen+keyLen+inline {
		return 0, 0, badFrame(badGarbage, "request of another length than its parts")
	}
	req.Group = alias(c.b[:groupLen])
	req.Key = alias(c.b[groupLen : groupLen+keyLen])
	req.Value = nil
	if inline > 0 {
		req.Value = c.b[groupLen+keyLen:]
	}
	return int(valueLen), timeout, nil
}

// alias views b as a string without copying it.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// appendResponse encodes resp as a response frame, with its value when that is at
// most inlineMax bytes.
func appendResponse(b []byte, id uint32, resp *Response) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, resp.Status, resp.Flags, 0)
	b = binary.AppendUvarint(b, uint64(len(resp.Value)))
	var has uint8
	if resp.View != 0 {
		has |= hasView
		b = binary.AppendUvarint(b, resp.View)
	}
	if resp.TTL != 0 {
		has |= hasTTL
		b = appendVarint(b, int64(resp.TTL))
	}
	if resp.Lease != 0 {
		has |= hasLease
		b = appendVarint(b, int64(resp.Lease))
	}
	if resp.Version != 0 {
		has |= hasVersion
		b = binary.AppendUvarint(b, resp.Version)
	}
	if resp.Message != "" {
		has |= hasMessage
		msg := resp.Message[:min(len(resp.Message), maxMessage)]
		b = binary.AppendUvarint(b, uint64(len(msg)))
		b = append(b, msg...)
	}
	b[start+headerSize+2] = has
	if len(resp.Value) <= inlineMax {
		b = append(b, resp.Value...)
	}
	putHeader(b[start:], frameResponse, id, len(b)-start-headerSize)
	return b
}

// decodeResponse parses the body of a response frame into resp; Value aliases body,
// Message is a copy. size is the value's length: above inlineMax resp.Value is nil
// and the value follows in data frames.
func decodeResponse(body []byte, resp *Response, lim limits) (size int, err error) {
	c := cursor{b: body}
	*resp = Response{Status: c.byte(), Flags: c.byte()}
	has := c.byte()
	valueLen := c.uvarint()
	if has&hasView != 0 {
		resp.View = c.uvarint()
	}
	if has&hasTTL != 0 {
		resp.TTL = time.Duration(c.varint())
	}
	if has&hasLease != 0 {
		resp.Lease = time.Duration(c.varint())
	}
	if has&hasVersion != 0 {
		resp.Version = c.uvarint()
	}
	var msgLen uint64
	if has&hasMessage != 0 {
		msgLen = c.uvarint()
	}
	switch {
	case c.bad || has >= hasMessage<<1 || msgLen > uint64(len(c.b)):
		return 0, badFrame(badGarbage, "response head cannot be read")
	case msgLen > maxMessage:
		return 0, badFrame(badSize, "message of %d bytes, the limit is %d", msgLen, maxMessage)
	case valueLen > uint64(lim.value):
		return 0, badFrame(badSize, "value of %d bytes, the limit is %d", valueLen, lim.value)
	}
	resp.Message = string(c.b[:msgLen])
	rest := c.b[msgLen:]
	inline := valueLen
	if inline > inlineMax {
		inline = 0
	}
	if uint64(len(rest)) != inline {
		return 0, badFrame(badGarbage, "response of another length than its parts")
	}
	if inline > 0 {
		resp.Value = rest
	}
	return int(valueLen), nil
}
