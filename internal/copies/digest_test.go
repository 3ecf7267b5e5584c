package copies_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestDigestInPages: a member is asked for what it has of keys that are few among many. It answers after it has looked at
// some of them, and not at all when whoever asked has gone: it would be asked again, and look at all of them many times at once.
func TestDigestInPages(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const values = 150_000
		m := kit.New(t, 1)
		groups := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[int]{Replicas: 2, FewerReplicas: true})
		for i := range values {
			kit.Must(t, groups[0].Set(ctx, strconv.Itoa(i), i, 0))
		}
		time.Sleep(time.Second)
		in := seam.Inside(m.Nodes[0])
		ask := func(ctx context.Context, at []byte) httppool.Response {
			var resp httppool.Response
			in.Handle(ctx, "somebody", &httppool.Request{Op: wire.OpDigest, Group: "g", Key: "somebody#1", View: in.ViewID(), Value: at}, &resp)
			return resp
		}
		pages := 0
		for at, more := []byte(nil), true; more; pages++ {
			resp := ask(ctx, at)
			page, ok := wire.ParseDigestPage(resp.Value)
			if resp.Status != wire.StatusOK || !ok || len(page.Lines) > 100 {
				t.Fatalf("page %d: status %d, %v, %d bytes of lines", pages, resp.Status, ok, len(page.Lines))
			}
			at, more = wire.AppendPlace(nil, page.At), page.More
		}
		if pages != 3 {
			t.Errorf("%d pages, want 3", pages)
		}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if resp := ask(gone, nil); resp.Status == wire.StatusOK {
			t.Error("who has gone is answered")
		}
	})
}
