package copies

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// pack returns an entry as it travels, but for its key.
func (c *Basis) pack(e *store.Entry) wire.Packed {
	p := wire.Packed{Data: e.Data, Version: e.Version, Trace: e.Negative, Encoding: c.Values.EncodingOf(e)}
	if e.Expires != 0 {
		p.Left = max(time.Duration(e.Expires-c.Clock.Now()), 1)
	}
	return p
}

// unpack makes an entry of what came. It owns its bytes. No lock is held.
func (c *Basis) unpack(p wire.Packed) *store.Entry {
	e := &store.Entry{Key: string(p.Key), Data: append([]byte{}, p.Data...), Version: p.Version, Negative: p.Trace, Care: store.Copied}
	c.Values.SetTTL(e, p.Left)
	if !p.Trace {
		c.Values.Allow(e)
		c.Values.Mark(e, p.Encoding)
		if c.Label != nil {
			c.Label(e)
		}
	}
	return e
}

// appendRequest appends what is sent for one of the core's.
func (c *Basis) appendRequest(body []byte, s *replica.Send) []byte {
	r, key := wire.CopyRequest{Op: byte(s.Op), Number: s.Number, Hash: s.Hash, Version: s.Version}, ""
	if s.Op == replica.Store {
		r.Value, key = c.pack(s.Entry), s.Entry.Key
	}
	return wire.AppendCopyRequest(body, key, &r)
}

// An Order says more of a write.
type Order struct {
	Dated   bool // what is written has its version
	Decided bool // it was decided on by what the key had
	Picked  bool // it removes what goes with a removal
}

// copyOf returns the entry that a write stores and sends, with a version: of a Delete, and of
// what has expired, a trace.
func (c *Basis) copyOf(key string, e *store.Entry, o Order) *store.Entry {
	now := c.Clock.Now()
	if e == nil || e.Expires != 0 && e.Expires <= now {
		e = &store.Entry{Key: strings.Clone(key), Negative: true, Expires: now + int64(view.TraceFor)}
	}
	if !o.Dated {
		e.Version = c.Values.NextVersion()
	}
	e.BeCopied()
	return e
}

// again returns an entry with a later version.
func (c *Basis) again(e *store.Entry) *store.Entry {
	return &store.Entry{Key: e.Key, Data: e.Data, Expires: e.Expires, Negative: e.Negative, Foreign: e.Foreign,
		Decoded: e.Decoded, Care: e.Care, Extra: e.Extra, Version: c.Values.NextVersion()}
}

// traceKey is the key of a trace whose own is not known. No key has it: its hash is another.
func traceKey(hash uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte("\x00trace"), hash))
}

// trace returns the trace of a value that has gone, or, with no version, goes now.
func (c *Basis) trace(hash uint64, v store.Version) *store.Entry {
	if v == (store.Version{}) {
		v = c.Values.NextVersion()
	}
	return &store.Entry{Key: traceKey(hash), Negative: true, Version: v, Care: store.Copied, Expires: c.Clock.Now() + int64(view.TraceFor)}
}
