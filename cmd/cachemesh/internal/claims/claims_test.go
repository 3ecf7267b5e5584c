package claims

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
)

// cache returns a cache of two members, as the first and the second see it.
func cache(t *testing.T) (here, there *cachemesh.Group[[]byte]) {
	c := cachemeshtest.New(t, 2)
	g := cachemeshtest.Group[[]byte](c, "pages", nil, cachemesh.GroupOptions[[]byte]{Cache: true})
	return g(0), g(1)
}

// win claims a key, and returns the claim.
func win(t *testing.T, g *cachemesh.Group[[]byte], key string) Claim {
	t.Helper()
	c, err := g.Claim(t.Context(), key, cachemesh.ClaimOptions{})
	if err != nil || c.State != cachemesh.Won {
		t.Fatalf("%s: %v, %v", key, c.State, err)
	}
	return c
}

// A holder has so many claims, and one more is given up: others can have it at once.
func TestBoundOfAHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := cache(t)
		table := New()
		h, other := table.Holder(), table.Holder()
		for i := range mostHeld {
			key := fmt.Sprint(i)
			if _, err := table.Keep(t.Context(), h, "pages", key, win(t, here, key), 0); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := table.Keep(t.Context(), h, "pages", "more", win(t, here, "more"), 0); !errors.Is(err, ErrTooMany) {
			t.Errorf("one more: %v", err)
		}
		token, err := table.Keep(t.Context(), other, "pages", "more", win(t, there, "more"), 0)
		if err != nil {
			t.Errorf("of another: %v", err)
		}
		h.End(t.Context())
		h.End(t.Context())
		for i := range mostHeld {
			win(t, there, fmt.Sprint(i)).Release(t.Context())
		}
		if len(table.open) != 1 || len(h.has) != 0 {
			t.Errorf("%d claims are left, %d of the holder", len(table.open), len(h.has))
		}
		if c, err := table.Take("pages", "more", token); err != nil || c.Fill(t.Context(), []byte("v"), 0) != nil {
			t.Errorf("the other's: %v", err)
		}
		(*Holder)(nil).End(t.Context())
	})
}

// Claims that nobody ends are forgotten once their time is over, and one that was extended is not.
func TestClaimsThatNobodyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, _ := cache(t)
		table := New()
		h := table.Holder()
		keep := func(key string, hold time.Duration) string {
			token, err := table.Keep(t.Context(), h, "pages", key, win(t, here, key), hold)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		longer := keep("longer", 0)
		for i := range sweepFrom - 2 {
			h = table.Holder()
			keep(fmt.Sprint(i), time.Second)
		}
		time.Sleep(10 * time.Second)
		if err := table.Extend(t.Context(), "pages", "longer", longer, time.Minute); err != nil {
			t.Error(err)
		}
		time.Sleep(40 * time.Second)
		keep("a", 0)
		keep("b", 0)
		if len(table.open) != 3 {
			t.Errorf("%d claims are left", len(table.open))
		}
		if c, err := table.Take("pages", "longer", longer); err != nil || c.Fill(t.Context(), []byte("v"), 0) != nil {
			t.Errorf("what was extended: %v", err)
		}
		if _, err := table.Take("pages", "longer", longer); !errors.Is(err, cachemesh.ErrClaimOver) {
			t.Errorf("a second time: %v", err)
		}
		for _, wrong := range [][3]string{{"other", "a", "x"}, {"pages", "a", ""}} {
			if err := table.Extend(t.Context(), wrong[0], wrong[1], wrong[2], 0); !errors.Is(err, cachemesh.ErrClaimOver) {
				t.Errorf("%v: %v", wrong, err)
			}
		}
	})
}

// Those who are no holders leave room for those who are, and a full table has room again once the
// time of what is in it is over.
func TestBoundOfATable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := New()
		keep := func(h *Holder) error {
			_, err := table.Keep(t.Context(), h, "pages", "k", Claim{}, time.Second)
			return err
		}
		for range mostLoose {
			if err := keep(nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := keep(nil); !errors.Is(err, ErrTooMany) {
			t.Errorf("one more without a holder: %v", err)
		}
		for range (mostClaims - mostLoose) / mostHeld {
			h := table.Holder()
			for range mostHeld {
				if err := keep(h); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := keep(table.Holder()); !errors.Is(err, ErrTooMany) {
			t.Errorf("one more of a holder: %v", err)
		}
		time.Sleep(2*time.Second + 1)
		for _, h := range []*Holder{nil, table.Holder()} {
			if err := keep(h); err != nil {
				t.Errorf("when their time is over: %v", err)
			}
		}
		if len(table.open) != 2 || table.loose != 1 {
			t.Errorf("%d claims, %d without a holder", len(table.open), table.loose)
		}
	})
}

// Of several that end one claim, one does, whatever its connection does meanwhile.
func TestOneEndsAClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := cache(t)
		table := New()
		for i := range 100 {
			h, key := table.Holder(), fmt.Sprint(i)
			token, err := table.Keep(t.Context(), h, "pages", key, win(t, here, key), 0)
			if err != nil {
				t.Fatal(err)
			}
			var filled atomic.Int64
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					if c, err := table.Take("pages", key, token); err == nil && c.Fill(t.Context(), []byte("v"), 0) == nil {
						filled.Add(1)
					}
				})
			}
			all.Go(func() { h.End(t.Context()) })
			all.Wait()
			v, err := there.Get(t.Context(), key)
			if n := filled.Load(); n > 1 || (n == 1) != (string(v) == "v") {
				t.Errorf("%s: %d filled it, and it is %q, %v", key, n, v, err)
			}
			if len(table.open) != 0 || len(h.has) != 0 {
				t.Fatalf("%d claims are left, %d of the holder", len(table.open), len(h.has))
			}
		}
	})
}
