package owner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// firstWord is the tag of a value.
func firstWord(_, v string) []string { return []string{strings.Fields(v)[0]} }

// A claim that was won before its tag, or a prefix of its key, was deleted is void: what was read
// before that is not stored, and whoever comes later has what is there then.
func TestRemovalBesideClaims(t *testing.T) {
	for what, remove := range map[string]func(context.Context, *cachemesh.Group[string]) error{
		"DeleteTag":    func(ctx context.Context, g *cachemesh.Group[string]) error { return g.DeleteTag(ctx, "red") },
		"DeletePrefix": func(ctx context.Context, g *cachemesh.Group[string]) error { return g.DeletePrefix(ctx, "key") },
	} {
		for owner := range 3 {
			t.Run(what, func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m := kit.New(t, 3)
					groups := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[string]{Cache: true, Tags: firstWord})
					key, other := m.KeysOf("g", owner, 2)[0], m.KeysOf("g", owner, 2)[1]
					claim, err := groups[0].Claim(ctx, key, cachemesh.ClaimOptions{})
					kit.Must(t, err)
					if claim.State != cachemesh.Won {
						t.Fatalf("%v", claim.State)
					}
					kit.Must(t, remove(ctx, groups[2]))
					if err := claim.Fill(ctx, "red old", 0); !errors.Is(err, cachemesh.ErrClaimVoid) {
						t.Errorf("Fill after %s: %v, want ErrClaimVoid", what, err)
					}
					if v, err := groups[1].Peek(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
						t.Errorf("%q, %v is there", v, err)
					}
					row, read, goOn := "red old", make(chan bool, 2), make(chan bool)
					load := func(context.Context, string) (string, error) {
						v := row
						read <- true
						<-goOn
						return v, nil
					}
					first, second := make(chan string, 1), make(chan string, 1)
					go func() { v, _ := groups[1].GetOr(ctx, other, load); first <- v }()
					<-read
					row = "red new"
					kit.Must(t, remove(ctx, groups[0]))
					go func() { v, _ := groups[1].GetOr(ctx, other, load); second <- v }()
					time.Sleep(time.Millisecond)
					close(goOn)
					if v := <-second; v != "red new" {
						t.Errorf("a GetOr that came after %s has %q", what, v)
					}
					<-first
					if v, err := groups[2].Peek(ctx, other); err == nil && v != "red new" {
						t.Errorf("%q is there", v)
					}
				})
			})
		}
	}
}
