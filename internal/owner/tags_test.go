package owner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// tagsInValues are options of groups whose values bear the tags that are in them, in one copy: "v#a#b" has a
// and b.
func tagsInValues() cachemesh.GroupOptions[string] {
	return cachemesh.GroupOptions[string]{Replicas: 1, Tags: func(_, v string) []string { return strings.Split(v, "#")[1:] }}
}

// TestDeleteTag forgets what bears a tag, on its owner and where it is a hot copy, and nothing else.
func TestDeleteTag(t *testing.T) {
	for _, remove := range []string{"tag", "prefix"} {
		for _, loads := range []bool{false, true} {
			t.Run(fmt.Sprint(remove, "/loader=", loads), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m := kit.New(t, 3)
					var loaded atomic.Int64
					var load cachemesh.LoaderFunc[string]
					if loads {
						load = func(_ context.Context, key string) (string, error) {
							loaded.Add(1)
							return key + "#" + key[:1] + "#all", nil
						}
					}
					groups := kit.GroupOn(m, "g", load, tagsInValues())
					keys := append(kit.Numbered("a", 50), kit.Numbered("b", 50)...)
					for i, key := range keys {
						if !loads {
							kit.Must(t, groups[i%3].Set(ctx, key, key+"#"+key[:1]+"#all", 0))
						}
						for range 5 { // until they are hot
							for _, g := range groups {
								kit.MustGet(t, g, key, key+"#"+key[:1]+"#all")
							}
						}
					}
					before := loaded.Load()
					if remove == "tag" {
						kit.Must(t, groups[1].DeleteTag(ctx, "none", "a"))
					} else {
						kit.Must(t, groups[1].DeletePrefix(ctx, "a"))
					}
					for i, key := range keys {
						_, peeked := groups[i%3].Peek(ctx, key)
						item, err := groups[i%3].Meta(ctx, key)
						if gone := key[0] == 'a'; gone != errors.Is(err, cachemesh.ErrNotFound) || gone && peeked == nil {
							t.Errorf("%s: %v %v, copied: %v", key, item, err, peeked)
						}
					}
					for _, key := range keys[50:] {
						kit.MustGet(t, groups[0], key, key+"#b#all")
					}
					if got := loaded.Load() - before; got != 0 {
						t.Errorf("%d values were loaded that were not forgotten", got)
					}
					kit.Must(t, groups[2].DeleteTag(ctx, "all"))
					for _, g := range groups {
						if s := g.Stats(); s.Entries != 0 || s.Tags != 0 || s.TagBytes != 0 {
							t.Errorf("%d entries, %d tags, %d bytes of them left", s.Entries, s.Tags, s.TagBytes)
						}
					}
				})
			})
		}
	}
}

// TestDeleteTagDuringLoad: which tags a value bears is known when it is loaded. One that was read
// before the tag was deleted is not stored, and nobody who came after that sees it.
func TestDeleteTagDuringLoad(t *testing.T) {
	for owner := range 2 {
		for _, remove := range []string{"tag", "prefix", "other"} {
			t.Run(fmt.Sprint("owner=", owner, "/", remove), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m, o := kit.New(t, 2), &slowOrigin{takes: 50 * time.Millisecond}
					load := func(ctx context.Context, key string) (string, error) {
						v, err := o.load(ctx, key)
						return fmt.Sprint(v, "#t"), err
					}
					groups := kit.GroupOn(m, "g", load, tagsInValues())
					key := m.KeyOf("g", owner)
					first, later := make(chan string), make(chan string)
					get := func(got chan string) { v, _ := groups[0].Get(ctx, key); got <- v }
					go get(first)
					time.Sleep(10 * time.Millisecond)
					o.version.Store(1)
					want := "1#t"
					switch remove {
					case "tag":
						kit.Must(t, groups[0].DeleteTag(ctx, "t"))
					case "prefix":
						kit.Must(t, groups[0].DeletePrefix(ctx, key[:2]))
					default: // what does not bear the tag is stored, and shown
						kit.Must(t, groups[0].DeleteTag(ctx, "u"))
						kit.Must(t, groups[0].DeletePrefix(ctx, "no such"))
						want = "0#t"
					}
					go get(later)
					if got := <-first; got != "0#t" && got != "1#t" {
						t.Errorf("who asked before got %q", got)
					}
					if got := <-later; got != want {
						t.Errorf("who asked after it got %q, want %q", got, want)
					}
					kit.MustGet(t, groups[1], key, want)
				})
			})
		}
	}
}

// TestDeleteTagsDuringALoad: of two DeleteTags while a load runs, whoever comes between them has come after
// the first, and gets nothing that was read before that.
func TestDeleteTagsDuringALoad(t *testing.T) {
	for _, remove := range []string{"tag", "prefix"} {
		t.Run(remove, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				var row atomic.Value
				row.Store("old#a")
				read := make(chan struct{})
				load := func(context.Context, string) (string, error) {
					v := row.Load().(string)
					if v == "old#a" {
						<-read
					}
					return v, nil
				}
				g := kit.GroupOn(kit.New(t, 1), "g", load, tagsInValues())[0]
				forget := func() {
					if remove == "tag" {
						kit.Must(t, g.DeleteTag(ctx, "a"))
					} else {
						kit.Must(t, g.DeletePrefix(ctx, "k"))
					}
				}
				go g.Get(ctx, "k")
				synctest.Wait()
				row.Store("new#a")
				forget()
				got := make(chan string, 1)
				go func() {
					v, _ := g.Get(ctx, "k")
					got <- v
				}()
				synctest.Wait()
				forget()
				close(read)
				if v := <-got; v != "new#a" {
					t.Errorf("%q, which a DeleteTag forgot before it was asked for", v)
				}
			})
		})
	}
}

// TestDeleteTagOfEvicted: the owner has a value no more, and another member serves a copy of it.
func TestDeleteTagOfEvicted(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, opts := kit.New(t, 2), tagsInValues()
		opts.MaxBytes = 256 << 10
		version := "0"
		groups := kit.GroupOn(m, "g", func(_ context.Context, key string) (string, error) { return version + "#t", nil }, opts)
		key := m.KeyOf("g", 1)
		for range 5 {
			kit.MustGet(t, groups[0], key, "0#t")
		}
		evicted := false
		for _, other := range m.KeysOf("g", 1, 3000)[1:] {
			kit.Must(t, groups[1].Set(ctx, other, strings.Repeat("x", 1000), 0))
			for range 10 { // so that it is worth more
				_, _ = groups[1].Get(ctx, other)
			}
			if _, err := groups[1].Meta(ctx, key); errors.Is(err, cachemesh.ErrNotFound) {
				evicted = true
				break
			}
		}
		if _, err := groups[0].Peek(ctx, key); err != nil || !evicted {
			t.Fatalf("there is nothing to test: copied: %v, evicted %t", err, evicted)
		}
		version = "1"
		kit.Must(t, groups[1].DeleteTag(ctx, "t"))
		kit.MustGet(t, groups[0], key, "1#t")
	})
}

// TestTagsWithoutRoom: a group has room for few tags of its own. The others work as well, and are
// counted in MaxBytes with all else.
func TestTagsWithoutRoom(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, opts := kit.New(t, 1), tagsInValues()
		opts.MaxBytes = 1 << 20
		g := kit.GroupOn[string](m, "g", nil, opts)[0]
		keys := kit.Numbered("key", 1500)
		for _, key := range keys {
			kit.Must(t, g.Set(ctx, key, "v#t of "+key+"#u of "+key, 0))
		}
		s := g.Stats()
		if s.Tags > 1<<16/100 || s.TagBytes > s.Bytes || s.Bytes > s.MaxBytes || s.Evictions > 0 {
			t.Errorf("%d tags, %d bytes of %d", s.Tags, s.TagBytes, s.Bytes)
		}
		for _, key := range keys {
			kit.Must(t, g.DeleteTag(ctx, "u of "+key))
			if _, err := g.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Fatalf("%s is still there: %v", key, err)
			}
		}
		if s := g.Stats(); s.Entries+int64(s.Tags)+s.TagBytes != 0 {
			t.Errorf("%d entries, %d tags, %d bytes left", s.Entries, s.Tags, s.TagBytes)
		}
	})
}

// TestTagsThatPanic: a value whose tags cannot be told goes with each.
func TestTagsThatPanic(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1, Tags: func(key, v string) []string {
			if v == "bad" {
				panic(v)
			}
			return []string{v}
		}})
		for i := range 2 {
			kit.Must(t, groups[0].Set(ctx, m.KeysOf("g", i, 2)[0], "bad", 0))
			kit.Must(t, groups[0].Set(ctx, m.KeysOf("g", i, 2)[1], "good", 0))
		}
		kit.Must(t, groups[0].DeleteTag(ctx, "other"))
		for i, g := range groups {
			if s := g.Stats(); s.Entries != 1 || s.TagErrors == 0 {
				t.Errorf("node%d: %d entries, %d errors", i, s.Entries, s.TagErrors)
			}
			kit.MustGet(t, g, m.KeysOf("g", i, 2)[1], "good")
		}
		if err := groups[0].DeleteTag(ctx, ""); !errors.Is(err, cachemesh.ErrInvalidKey) {
			t.Errorf("no tag: %v", err)
		}
	})
}

// TestTagsThroughWrites: Touch leaves a value its tags, a Set gives it others, a sum has its own.
func TestTagsThroughWrites(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		g := kit.GroupOn[string](m, "g", nil, tagsInValues())[0]
		kit.Must(t, g.Set(ctx, "touched", "v#a", time.Minute))
		kit.Must(t, g.Set(ctx, "set", "v#a", 0))
		kit.Must(t, g.Set(ctx, "set", "v#b", 0))
		_, err := cachemesh.Increment(ctx, g, "sum", 1, 0)
		kit.Must(t, err)
		_, err = g.Touch(ctx, "touched", time.Hour)
		kit.Must(t, err)
		kit.Must(t, g.DeleteTag(ctx, "a"))
		for key, want := range map[string]bool{"touched": false, "set": true, "sum": true} {
			if _, err := g.Meta(ctx, key); (err == nil) != want {
				t.Errorf("%s is there: %v, want %t", key, err, want)
			}
		}
		kit.Must(t, g.Set(ctx, "expires", "v#a", time.Second))
		time.Sleep(2 * time.Second)
		_, _ = g.Get(ctx, "expires")
		if s := g.Stats(); s.Tags != 1 || s.Entries != 2 {
			t.Errorf("%d tags of %d entries", s.Tags, s.Entries)
		}
		synctest.Wait()
	})
}
