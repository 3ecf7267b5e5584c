package wire_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestErrorsAcrossTheWire writes errors into answers and reads them back.
func TestErrorsAcrossTheWire(t *testing.T) {
	w := wire.Errors{Group: "g", Known: guard.KnownOf([]error{errors.ErrUnsupported})}
	maybe := &errs.PeerError{Op: "set", MaybeApplied: true, Err: context.DeadlineExceeded}
	for _, test := range []struct {
		err   error
		is    error
		maybe bool
	}{
		{maybe, context.DeadlineExceeded, true},
		{fmt.Errorf("at the owner: %w", maybe), context.DeadlineExceeded, true},
		{&errs.PeerError{Op: "set", MaybeApplied: true, Err: errs.ErrClosed}, errs.ErrPeerClosed, true},
		{&errs.PeerError{Op: "set", MaybeApplied: true, Err: errs.ErrOverloaded}, errs.ErrOverloaded, true},
		{&errs.PeerError{Op: "set", Err: context.DeadlineExceeded}, context.DeadlineExceeded, false},
		{&errs.PeerError{Op: "set", MaybeApplied: true, Err: errs.ErrMinority}, errs.ErrMinority, true},
		{&errs.PeerError{Op: "set", Err: errs.ErrMinority}, errs.ErrMinority, false}, // refused before the origin was touched
		{errors.Join(errs.ErrWriterBusy, context.DeadlineExceeded), errs.ErrWriterBusy, false},
		{&errs.LoadError{Err: maybe}, context.DeadlineExceeded, false}, // what another group's Set may have done
		{&errs.LoadError{Err: errors.ErrUnsupported}, errors.ErrUnsupported, false},
		{&errs.WriteError{Err: errors.ErrUnsupported}, errors.ErrUnsupported, false},
		{errs.ErrNotFound, errs.ErrNotFound, false},
		{errs.ErrNotOwner, errs.ErrNotOwner, false},
		{errs.ErrUnsettled, errs.ErrUnsettled, false},
		{errs.ErrOverflow, errs.ErrOverflow, false},
		{fmt.Errorf("%w: it is a bool", errs.ErrNotInteger), errs.ErrNotInteger, false},
		{fmt.Errorf("%w: 7 bytes", errs.ErrTooLarge), errs.ErrTooLarge, false},
		{errs.ErrOverloaded, errs.ErrOverloaded, false},
		{errs.ErrClosed, errs.ErrPeerClosed, false},
		{context.Canceled, context.DeadlineExceeded, false},
	} {
		k := &wire.Call{Req: httppool.Request{Op: wire.OpSet, Key: "k"}}
		w.Put(&k.Resp, test.err)
		got := w.Of("peer", "", k.Req.Op, k.Req.Key, &k.Resp)
		if !errors.Is(got, test.is) {
			t.Errorf("%v became %v, want %v", test.err, got, test.is)
		}
		if pe, ok := errors.AsType[*errs.PeerError](got); ok && pe.MaybeApplied != test.maybe || !ok && test.maybe {
			t.Errorf("%v became %v: may be applied is not %t", test.err, got, test.maybe)
		}
	}
}

// TestAnswersThatSayLittle reads answers of a peer that gave up in the middle, and
// of one of another version: the write may have been applied.
func TestAnswersThatSayLittle(t *testing.T) {
	w := wire.Errors{Group: "g"}
	for _, status := range []uint8{httppool.StatusInternal, 99, 200} {
		k := &wire.Call{Req: httppool.Request{Op: wire.OpSet, Key: "k"}, Resp: httppool.Response{Status: status, Message: "?"}}
		if pe, ok := errors.AsType[*errs.PeerError](w.Of("peer", "", k.Req.Op, k.Req.Key, &k.Resp)); !ok || !pe.MaybeApplied || pe.Member != "peer" {
			t.Errorf("status %d became %v", status, pe)
		}
	}
}
