// Package await waits for what others do: it looks again and again, in time that a bubble
// may make up, and ends with its context. It imports nothing of this module.
package await

import (
	"context"
	"time"
)

// Until waits until ok returns true, which is asked every so often. Its error is the
// context's, if that ends before.
func Until(ctx context.Context, every time.Duration, ok func() bool) error {
	for !ok() {
		if err := Pause(ctx, every); err != nil {
			return err
		}
	}
	return nil
}

// Pause waits. Its error is the context's, if that ends before.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
