package codec_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// TestUnreadableIsLoggedOnceAMinute says which group and why.
func TestUnreadableIsLoggedOnceAMinute(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		r := newRollout(t, true, cachemesh.GroupOptions[priced]{NoHotCopies: true}, cachemesh.GroupOptions[quoted]{NoHotCopies: true})
		key := r.KeyOf("prices", 0)
		for range 300 {
			kit.Must(t, r.old.Set(ctx, key, priced{0}, 0))
			if v, err := r.new[0].Get(ctx, key); err != nil || v != (quoted{"0"}) {
				t.Fatal(v, err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		seam.Inside(r.Nodes[1]).FlushLog()
		if n := r.log.Count("cannot be read"); n != 5 {
			t.Errorf("%d lines in 5 minutes, want 5", n)
		}
		if s := r.new[0].Stats(); s.Unreadable != 300 {
			t.Errorf("Unreadable is %d, want 300", s.Unreadable)
		}
	})
}

// TestUnreadableSetIsReplaced: the owner loads what it cannot read once, and keeps that.
func TestUnreadableSetIsReplaced(t *testing.T) {
	for _, version := range []string{"", "1"} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			r := newRollout(t, true, cachemesh.GroupOptions[priced]{Version: version}, cachemesh.GroupOptions[quoted]{})
			key := r.KeyOf("prices", 0)
			kit.Must(t, r.new[0].Set(ctx, key, quoted{"0"}, 0))
			for range 5 {
				kit.MustGet(t, r.old, key, priced{0})
			}
			if n := r.loads.Load(); n != 1 {
				t.Errorf("Version %q: %d loads, want 1", version, n)
			}
		})
	}
}

// TestOwnerCountsWhatItCannotRead: the owner of a map's key does, too.
func TestOwnerCountsWhatItCannotRead(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		r := newRollout(t, false, cachemesh.GroupOptions[priced]{Version: "1"}, cachemesh.GroupOptions[quoted]{})
		key := r.KeyOf("prices", 0)
		kit.Must(t, r.new[0].Set(ctx, key, quoted{"1"}, 0))
		if v, err := r.old.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("Get = %v, %v", v, err)
		}
		if s := r.old.Stats(); s.Unreadable != 1 {
			t.Errorf("Unreadable is %d, want 1", s.Unreadable)
		}
	})
}
