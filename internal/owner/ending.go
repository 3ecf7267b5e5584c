package owner

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// EndCopies grants no copy any more, and recalls those that are out. It takes no longer
// than the longest session.
func (c *Part) EndCopies() {
	c.stopGrants()
	c.recallEverything()
}

// quietPause is between two looks whether all is quiet.
const quietPause = 5 * time.Millisecond

// AwaitIdle waits until no load whose value may be stored and no write that waits for
// copies runs. Errors: ctx's own and ErrClosed.
func (c *Part) AwaitIdle(ctx context.Context) error {
	shards := c.made()
	for i := range shards {
		for !shards[i].isIdle() {
			if err := c.Life.Pause(ctx, quietPause); err != nil {
				return err
			}
		}
	}
	return nil
}

// CloseShards lets nothing new begin.
func (c *Part) CloseShards() {
	c.eachShard(func(s *shard) {
		s.closed = true
		c.dropClaimsLocked(s, func(string) bool { return true }, errs.ErrGroupClosed)
	})
}

// AwaitQuiet waits until no load, no write and no Writer that it can wait for is under way.
func (c *Part) AwaitQuiet() error {
	for !c.isQuiet() {
		if err := c.Life.Pause(context.Background(), quietPause); err != nil {
			return err
		}
	}
	return nil
}

func (c *Part) isQuiet() bool {
	quiet := true
	c.eachShard(func(s *shard) { quiet = quiet && s.isQuietLocked() })
	return quiet
}

// Close ends all loads and empties the store.
func (c *Part) Close() {
	c.closeUnmade()
	if c.copies != nil {
		c.copies.Close()
	}
	c.eachShard((*shard).closeLocked)
	c.Store.Close()
}
