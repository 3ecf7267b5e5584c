//go:build !race

// It compares times, which the race detector changes and makes minutes.

package owner_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestDeleteTagFigures holds 200 000 values in 2 000 tags, and compares DeleteTag of one with
// Delete of its 100 keys by name. It says what tags take.
func TestDeleteTagFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	const values, tags, per = 200_000, 2_000, 100
	for _, members := range []int{1, 3} {
		t.Run(fmt.Sprint("members=", members), func(t *testing.T) {
			m, ctx := kit.NewReal(t, members), kit.Context(t)
			var heap [2]uint64
			var groups []*cachemesh.Group[string]
			keys := make([]string, values)
			for i := range keys {
				keys[i] = fmt.Sprintf("page-%06d", i)
			}
			for with := range 2 {
				opts := cachemesh.GroupOptions[string]{MaxBytes: 256 << 20, NoHotCopies: true, LoadMany: echoMany}
				if with == 1 {
					opts.Tags = func(key, _ string) []string { return []string{"tenant-" + strconv.Itoa(tagOf(key))} }
				}
				before := uint64(kit.HeapBytes())
				groups = kit.GroupOn[string](m, fmt.Sprint("g", with), nil, opts)
				// A member that the machine held up is taken for gone, and what is then another's is loaded again.
				for rounds := 0; held(groups) < values; rounds++ {
					if rounds == 5 {
						t.Fatalf("%d values are held, want %d", held(groups), values)
					}
					for part := range slices.Chunk(keys, 1000) {
						if got, err := groups[0].GetMany(ctx, part); err != nil || len(got) != len(part) {
							t.Fatal(len(got), err)
						}
					}
				}
				heap[with] = uint64(kit.HeapBytes()) - before
			}
			byName, byTag, byPrefix := time.Duration(1<<62), time.Duration(1<<62), time.Duration(0)
			for i := range 50 {
				named := make([]string, 0, per)
				for n := range per {
					named = append(named, keys[i+n*tags])
				}
				start := time.Now()
				kit.Must(t, groups[0].Delete(ctx, named...))
				byName = min(byName, time.Since(start))
				start = time.Now()
				kit.Must(t, groups[0].DeleteTag(ctx, "tenant-"+strconv.Itoa(tags/2+i)))
				byTag = min(byTag, time.Since(start))
			}
			start := time.Now()
			kit.Must(t, groups[0].DeletePrefix(ctx, "page-19999"))
			byPrefix = time.Since(start)
			var entries, bytes, tagBytes int64
			for _, g := range groups {
				s := g.Stats()
				entries, bytes, tagBytes = entries+s.Entries, bytes+s.Bytes, tagBytes+s.TagBytes
			}
			t.Logf("100 keys: by name %v, by tag %v; a prefix of 10 keys among %d: %v; tags take %d B a value of %d, measured %d",
				byName, byTag, entries, byPrefix, tagBytes/entries, bytes/entries, (int64(heap[1])-int64(heap[0]))/values)
			if want := int64(values - 100*per - 10); entries > want || entries < want-10 {
				t.Errorf("%d values are left, want %d", entries, want)
			}
			if byTag > 3*byName && !kit.Race {
				t.Errorf("DeleteTag took %v, Delete by name %v", byTag, byName)
			}
		})
	}
}

// held is how many values the members of a mesh hold.
func held(groups []*cachemesh.Group[string]) (n int64) {
	for _, g := range groups {
		n += g.Stats().Entries
	}
	return n
}

// tagOf is the tag of a page.
func tagOf(key string) int {
	n, _ := strconv.Atoi(key[len("page-"):])
	return n % 2000
}

func echoMany(_ context.Context, keys []string) (map[string]string, error) {
	values := make(map[string]string, len(keys))
	for _, key := range keys {
		values[key] = "value of " + key
	}
	return values, nil
}
