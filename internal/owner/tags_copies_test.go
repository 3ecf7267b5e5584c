package owner_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// copiedTags are options of groups whose values bear the tags that are in them, and are on so many
// members.
func copiedTags(copies int) cachemesh.GroupOptions[string] {
	o := tagsInValues()
	o.Replicas = copies
	return o
}

// wantTagged checks that what bears no tag "a" is there, and nothing else.
func wantTagged(t *testing.T, ctx context.Context, g *cachemesh.Group[string], keys []string) {
	t.Helper()
	for _, key := range keys {
		v, err := g.Get(ctx, key)
		if key[0] == 'a' && !errors.Is(err, cachemesh.ErrNotFound) || key[0] == 'b' && (err != nil || v != key+"#b#all") {
			t.Errorf("%s: %q, %v", key, v, err)
		}
	}
}

// Values in copies that bear a tag are gone with it, whoever crashes then, and no others. Where
// nothing is left no tag is.
func TestDeleteTagOfCopies(t *testing.T) {
	for _, copies := range []int{2, 3} {
		for crashed := range 4 { // the last one does not
			t.Run(fmt.Sprintf("copies=%d/crashed=node%d", copies, crashed), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m := kit.New(t, 4)
					groups := kit.GroupOn[string](m, "g", nil, copiedTags(copies))
					time.Sleep(time.Second) // all have told the others that they have the group
					keys := append(kit.Numbered("a", 40), kit.Numbered("b", 40)...)
					for i, key := range keys {
						kit.Must(t, groups[i%4].Set(ctx, key, key+"#"+key[:1]+"#all", 0))
					}
					labels := int64(0)
					for _, g := range groups {
						labels += g.Stats().TagBytes
					}
					if least := int64(copies * len(keys) * 160); labels < least {
						t.Errorf("tags of %d copies take %d bytes, want %d at least", copies*len(keys), labels, least)
					}
					kit.Must(t, groups[3].DeleteTag(ctx, "a", "none"))
					if crashed < 3 {
						m.Kill(crashed)
						m.Settle(3)
						wantTagged(t, ctx, groups[3], keys)
						return
					}
					wantTagged(t, ctx, groups[0], keys)
					kit.Must(t, groups[3].DeleteTag(ctx, "all"))
					time.Sleep(10 * time.Second) // until traces are gone
					for i, g := range groups {
						if s := g.Stats(); s.Entries != 0 || s.Tags != 0 || s.TagBytes != 0 {
							t.Errorf("node%d: %d entries, %d tags, %d bytes of them left", i, s.Entries, s.Tags, s.TagBytes)
						}
					}
				})
			})
		}
	}
}

// An owner crashes: whoever owns its keys then finds those of a tag, of which it had copies or
// fetches them.
func TestDeleteTagWhereCopiesBecameValues(t *testing.T) {
	for _, remove := range []string{"tag", "prefix"} {
		for crashed := range 3 {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 4)
				groups := kit.GroupOn[string](m, "g", nil, copiedTags(2))
				time.Sleep(time.Second)
				keys := append(kit.Numbered("a", 60), kit.Numbered("b", 60)...)
				for i, key := range keys {
					kit.Must(t, groups[i%4].Set(ctx, key, key+"#"+key[:1]+"#all", 0))
				}
				m.Kill(crashed)
				if remove == "tag" {
					kit.Must(t, groups[3].DeleteTag(ctx, "a"))
				} else {
					kit.Must(t, groups[3].DeletePrefix(ctx, "a"))
				}
				m.Settle(3)
				wantTagged(t, ctx, groups[3], keys)
				m.Kill((crashed + 1) % 3)
				m.Settle(2)
				wantTagged(t, ctx, groups[3], keys[:60])
			})
		}
	}
}

// holdCopies has a node say nothing to others of its copies, but what hold lets through, as long
// as on is set.
func holdCopies(node int, on *atomic.Bool, hold func(op byte) bool) kit.Edit {
	return func(i int, o *cachemesh.Options) {
		if i != node {
			return
		}
		o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, _ string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
			if req.Op == wire.OpCopies && on.Load() {
				_, n := binary.Uvarint(req.Value)
				for list := req.Value[n:]; len(list) > 0; {
					r, rest, ok := wire.CutCopyRequest(list)
					if !ok || hold(r.Op) {
						<-ctx.Done()
						return &httppool.CallError{Sent: true, Err: ctx.Err()}
					}
					list = rest
				}
			}
			return next.Call(ctx, req, resp)
		}}
	}
}

// A value was evicted, and the holder of its copy has not heard of that. A removal that finds
// nothing of it waits until it has; or the owner crashes, and the copy is a value again.
func TestDeleteTagOfWhatWasEvicted(t *testing.T) {
	for _, remove := range []string{"tag", "prefix", "delete"} {
		t.Run(remove, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				var on atomic.Bool
				m := kit.New(t, 3, holdCopies(0, &on, func(op byte) bool { return op == wire.CopyDrop }))
				opts := copiedTags(2)
				opts.MaxBytes, opts.NoHotCopies = 128<<10, true
				var groups []*cachemesh.Group[string]
				for i, n := range m.Nodes {
					if i > 0 {
						opts.MaxBytes = 4 << 20
					}
					g, err := cachemesh.NewGroup[string](n, "g", nil, opts)
					kit.Must(t, err)
					groups = append(groups, g)
				}
				time.Sleep(time.Second)
				keys := m.KeysOf("g", 0, 2000)
				key := keys[0]
				kit.Must(t, groups[0].Set(ctx, key, "v#a", 0))
				on.Store(true)
				for _, other := range keys[1:] {
					kit.Must(t, groups[0].Set(ctx, other, "w#b", 0))
					if _, err := groups[0].Peek(ctx, key); errors.Is(err, cachemesh.ErrNotFound) {
						break
					}
				}
				kit.WantNotFound(t, groups[0], key)
				done := make(chan error, 1)
				go func() {
					switch remove {
					case "tag":
						done <- groups[0].DeleteTag(ctx, "a")
					case "prefix":
						done <- groups[0].DeletePrefix(ctx, key)
					default:
						done <- groups[0].Delete(ctx, key)
					}
				}()
				time.Sleep(500 * time.Millisecond)
				m.Kill(0)
				err := <-done // the node's closing, if it has not returned before
				m.Settle(2)
				v, got := groups[1].Get(ctx, key)
				if err == nil && !errors.Is(got, cachemesh.ErrNotFound) {
					t.Errorf("%s returned nil, and then the key has %q, %v", remove, v, got)
				}
			})
		})
	}
}

// A Set without the tag is under way when the tag is deleted, and hides the value that bears it:
// nobody has what was Set. If the owner crashes now, the copy of the former value is one again.
func TestDeleteTagBesideASetThatMayBeApplied(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var on atomic.Bool
		m := kit.New(t, 3, holdCopies(0, &on, func(byte) bool { return true }))
		groups := kit.GroupOn[string](m, "g", nil, copiedTags(2))
		time.Sleep(time.Second)
		key := m.KeyOf("g", 0)
		kit.Must(t, groups[0].Set(ctx, key, "v#a", 0))
		on.Store(true)
		set, removed := make(chan error, 1), make(chan error, 1)
		go func() { set <- groups[0].Set(ctx, key, "w", 0) }()
		time.Sleep(10 * time.Millisecond)
		go func() { removed <- groups[1].DeleteTag(ctx, "a") }()
		if err := <-set; !errors.Is(err, cachemesh.ErrFewCopies) {
			t.Fatalf("Set = %v, want ErrFewCopies", err)
		}
		time.Sleep(100 * time.Millisecond)
		m.Kill(0)
		err := <-removed
		m.Settle(2)
		if v, got := groups[1].Get(ctx, key); err == nil && !errors.Is(got, cachemesh.ErrNotFound) && v != "w" {
			t.Errorf("DeleteTag returned nil, and then the key has %q, %v", v, got)
		} else if err != nil {
			t.Errorf("DeleteTag = %v", err)
		}
	})
}
