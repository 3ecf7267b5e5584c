package groups

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
)

// All who use a group at once have the same, and as many are made as may be.
func TestUse(t *testing.T) {
	node := cachemeshtest.New(t, 1).Node(0)
	s := New(node, config.OtherGroups{Allow: true, Most: 5, MaxBytes: 1 << 20, Kind: config.Cache})
	if err := s.Make(config.Group{Name: "map", MaxBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	got, refused := make(map[string]*Group), 0
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			name := fmt.Sprint("g", i%10)
			g, err := s.Use(name)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, ErrTooMany):
				refused++
			case err != nil || got[name] != nil && got[name] != g:
				t.Errorf("%s: %p after %p, %v", name, g, got[name], err)
			default:
				got[name] = g
			}
		})
	}
	all.Wait()
	if len(got) != 5 || refused != 100 || len(s.Names()) != 6 {
		t.Errorf("%d groups, %d refused, %v", len(got), refused, s.Names())
	}
	for name, g := range got {
		if c, err := g.Claim(t.Context(), "k", cachemesh.ClaimOptions{}); err != nil || c.State != cachemesh.Won {
			t.Errorf("%s is no cache: %v, %v", name, c.State, err)
		}
	}
	for _, name := range []string{"", strings.Repeat("x", 256)} {
		if g, err := s.Use(name); g != nil || !errors.Is(err, ErrNone) {
			t.Errorf("%.9q: %v", name, err)
		}
	}
	if g, err := s.Use("map"); err != nil || g != s.Get("map") {
		t.Errorf("map: %v", err)
	}
	var wrong *cachemesh.OptionError
	if err := s.Make(config.Group{Name: "map"}); !errors.As(err, &wrong) {
		t.Errorf("a second map: %v", err)
	}
	if _, err := New(node, config.OtherGroups{Most: 5}).Use("new"); !errors.Is(err, ErrNone) {
		t.Errorf("not allowed: %v", err)
	}
}
