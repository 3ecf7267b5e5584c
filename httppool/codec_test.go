package httppool

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"
)

var sampleRequests = []Request{
	{},
	{Op: 1, Flags: 2, Group: "g", Key: "k", Value: []byte("v")},
	{Op: 255, Flags: 255, View: 1<<64 - 1, TTL: 1<<63 - 1, Arg: 1<<64 - 1, Group: "\x00\xff", Key: "a b/../c"},
	{TTL: -1 << 63, Value: make([]byte, inlineMax)},
	{Value: make([]byte, inlineMax+1)},
}

var sampleResponses = []Response{
	{},
	{Status: 1, Flags: 2, Value: []byte("v"), Message: "m"},
	{Status: 255, View: 1<<64 - 1, Version: 1<<64 - 1, TTL: -1 << 63, Lease: 1<<63 - 1},
	{Message: string(make([]byte, maxMessage)), Value: make([]byte, inlineMax)},
	{Value: make([]byte, inlineMax+1)},
}

var testLimits = limits{key: DefaultMaxKey, value: 1 << 20}

func TestRequestRoundTrip(t *testing.T) {
	for _, want := range sampleRequests {
		for _, timeout := range []time.Duration{0, time.Nanosecond, time.Microsecond, time.Hour, 1<<63 - 1000} {
			b := appendRequest([]byte("before"), 7, &want, timeout)[len("before"):]
			h, err := parseHeader(b)
			if err != nil || h.kind != frameRequest || h.id != 7 || h.size != len(b)-headerSize {
				t.Fatalf("got header %+v, %v for %d bytes", h, err, len(b))
			}
			got := Request{Op: 9, View: 9, TTL: 9, Arg: 9, Value: []byte("old")}
			size, left, err := decodeRequest(b[headerSize:], &got, testLimits)
			if err != nil || size != len(want.Value) || left < timeout || left-timeout >= time.Microsecond {
				t.Fatalf("got %d bytes, %v, %v, want %d and %v", size, left, err, len(want.Value), timeout)
			}
			if want.Value != nil && size > inlineMax {
				got.Value = want.Value // travels in data frames
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
	}
}

func TestResponseRoundTrip(t *testing.T) {
	for _, want := range sampleResponses {
		b := appendResponse(nil, 7, &want)
		got := Response{Status: 9, Message: "old", Value: []byte("old")}
		size, err := decodeResponse(b[headerSize:], &got, testLimits)
		if err != nil || size != len(want.Value) {
			t.Fatalf("got %d bytes, %v, want %d", size, err, len(want.Value))
		}
		if size > inlineMax {
			got.Value = want.Value
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	request := func(b []byte) error { _, _, err := decodeRequest(b, new(Request), limits{10, 10}); return err }
	response := func(b []byte) error { _, err := decodeResponse(b, new(Response), limits{10, 10}); return err }
	whole := appendRequest(nil, 0, &Request{Group: "g", Key: "k", Value: []byte("v"), View: 300}, 1)[headerSize:]
	answer := appendResponse(nil, 0, &Response{Value: []byte("v"), View: 300, Message: "m"})[headerSize:]
	for i := range whole {
		wantBadFrame(t, request(whole[:i]), badGarbage)
	}
	for i := range answer {
		wantBadFrame(t, response(answer[:i]), badGarbage)
	}
	wantBadFrame(t, request(append(bytes.Clone(whole), 0)), badGarbage)
	wantBadFrame(t, response(append(bytes.Clone(answer), 0)), badGarbage)
	wantBadFrame(t, request([]byte{0, 0, 0, 0, 11, 0}), badSize)                                                        // key
	wantBadFrame(t, request([]byte{0, 0, 0, 0, 0, 11}), badSize)                                                        // value
	wantBadFrame(t, request([]byte{0, 0, 0x10, 0, 0, 0, 0}), badGarbage)                                                // unknown field
	wantBadFrame(t, request([]byte{0, 0, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}), badGarbage) // overlong
	wantBadFrame(t, response([]byte{0, 0, 0, 11}), badSize)
	wantBadFrame(t, response([]byte{0, 0, 0x20, 0, 0}), badGarbage)
	wantBadFrame(t, response(append([]byte{0, 0, hasMessage, 0, 0x81, 0x20}, make([]byte, maxMessage+1)...)), badSize)
}

func TestHeaderRefuses(t *testing.T) {
	for _, test := range []struct {
		kind   uint8
		size   int
		reason string
	}{
		{0, 0, badType}, {frameCarriedData + 1, 0, badType}, {255, 1 << 23, badType},
		{frameRequest, maxBody + 1, badSize}, {frameResponse, maxBody + 1, badSize}, {frameSkip, maxBody + 1, badSize},
		{frameData, chunkMax + 1, badSize}, {frameData, 0, badGarbage},
		{frameCarriedResponse, maxBody + 1, badSize}, {frameCarriedData, chunkMax + 1, badSize}, {frameCarriedData, 0, badGarbage},
		{frameCancel, 1, badSize}, {framePing, 1, badSize}, {framePong, 1, badSize}, {frameGoaway, 1, badSize},
	} {
		_, err := parseHeader(appendHeader(nil, test.kind, 0, test.size))
		wantBadFrame(t, err, test.reason)
	}
}

func wantBadFrame(t testing.TB, err error, reason string) {
	t.Helper()
	var bad *frameError
	if !errors.As(err, &bad) || bad.reason != reason {
		t.Errorf("got %v, want a bad frame: %s", err, reason)
	}
}
