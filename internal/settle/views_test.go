package settle_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestEachKnowsHowOthersSeeTheMesh: that they agree, whom they cannot call, and that they can again.
func TestEachKnowsHowOthersSeeTheMesh(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		name := m.Nodes[0].Name()
		// says reports whether the first member said a moment ago that it cannot call these, to the second.
		says := func(want ...string) func() bool {
			return func() bool {
				var first cachemesh.MemberView
				all := m.Nodes[1].Views()
				for _, v := range all {
					if v.Name == name {
						first = v
					}
				}
				return len(all) == 2 && first.Agrees && first.Age >= 0 && first.Age < 5*time.Second && fmt.Sprint(first.Unreachable) == fmt.Sprint(want)
			}
		}
		for _, step := range []struct {
			change func()
			want   []string
		}{
			{func() {}, nil},
			{func() { m.Net.RefuseStreams(kit.Host(0), kit.Host(1)) }, []string{m.Nodes[1].Name()}},
			{m.Net.Heal, nil},
		} {
			step.change()
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			if kit.Until(ctx, says(step.want...)) != nil {
				t.Fatalf("%s cannot call %q, it should say; known are %+v", name, step.want, m.Nodes[1].Views())
			}
		}
		if own := m.Nodes[1].Views()[1]; own.Name != m.Nodes[1].Name() || !own.Agrees || own.Age != 0 {
			t.Errorf("a member says of itself %+v", own)
		}
		m.Nodes[1].Close()
		if all := m.Nodes[1].Views(); len(all) != 0 {
			t.Errorf("one that has closed knows %+v", all)
		}
	})
}
