package owner_test

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// 20. A Get that waits for a load that a Set voided returns what a later Set is
// writing, and the next Get what was before it.
func TestVoidLoadSeesTheFuture(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		rows := map[string]string{}
		read, entered, proceed := make(chan struct{}), make(chan struct{}), make(chan struct{})
		block := false
		w := writerFuncs{store: func(k, v string) {
			rows[k] = v
			if block {
				close(entered)
				<-proceed
			}
		}}
		g := kit.GroupOn(m, "g", func(ctx context.Context, k string) (string, error) {
			<-read // slow to reach the database
			if v, ok := rows[k]; ok {
				return v, nil
			}
			return "", cachemesh.ErrNotFound
		}, cachemesh.GroupOptions[string]{Writer: w})[0]
		first := make(chan string)
		go func() { v, _ := g.Get(ctx, "k"); first <- v }()
		time.Sleep(time.Millisecond)
		kit.Must(t, g.Set(ctx, "k", "A", 0))
		block = true
		set := make(chan error)
		go func() { set <- g.Set(ctx, "k", "B", 0) }()
		<-entered
		close(read)
		saw := <-first
		next, err := g.Get(ctx, "k")
		kit.Must(t, err)
		if saw == "B" && next == "A" {
			t.Errorf("a Get returned %q, and one that started after it %q", saw, next)
		}
		close(proceed)
		kit.Must(t, <-set)
	})
}

type writerFuncs struct{ store func(k, v string) }

func (w writerFuncs) Store(_ context.Context, k, v string) error { w.store(k, v); return nil }
func (w writerFuncs) Delete(context.Context, string) error       { return nil }
