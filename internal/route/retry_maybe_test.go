package route

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/owner"
)

// TestMaybeAppliedOutlastsUnsettled: the first try may have been applied, and the others until the caller's time is over
// were certainly not: the caller is told of the first, and not that nothing was.
func TestMaybeAppliedOutlastsUnsettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Router{Part: owner.Part{Basis: owner.Basis{Setting: &owner.Setting{Life: life.New()}}}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		tries := 0
		err := retryChange(ctx, c, func() (error, bool) {
			if tries++; tries == 1 {
				return &errs.PeerError{MaybeApplied: true, Err: errs.ErrFewCopies}, true
			}
			return errs.ErrUnsettled, true
		})
		pe, ok := errors.AsType[*errs.PeerError](err)
		if !ok || !pe.MaybeApplied || errs.IsUnsettled(err) || !errors.Is(err, context.DeadlineExceeded) || tries < 3 {
			t.Errorf("after %d tries: %v", tries, err)
		}
	})
}
