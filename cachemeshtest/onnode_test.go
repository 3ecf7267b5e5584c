package cachemeshtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
)

// A service is what a test is about: it registers its group by itself.
type service struct{ users *cachemesh.Group[user] }

type user struct {
	Name   string
	secret string // which no other member would see
}

func (s *service) register(n *cachemesh.Node) (err error) {
	s.users, err = cachemesh.NewGroup(n, "users", func(_ context.Context, id string) (user, error) {
		return user{"the user " + id, "of the loader"}, nil
	}, cachemesh.GroupOptions[user]{})
	return err
}

// TestOnNode: groups are there before each start of a node, and the owner of a key is known.
func TestOnNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		services, edited := make(map[int]*service), 0
		c := cachemeshtest.New(t, 2, cachemeshtest.OnNode(func(i int, n *cachemesh.Node) error {
			if len(n.Members()) != 0 {
				t.Errorf("member %d runs already", i)
			}
			services[i] = new(service)
			return services[i].register(n)
		}), func(int, *cachemesh.Options) { edited++ })
		c.Add()
		c.Kill(1)
		c.Settle()
		before := services[1]
		c.Restart(1)
		c.Settle()
		if len(services) != 3 || services[1] == before || edited != 4 {
			t.Errorf("%d services, edited %d times", len(services), edited)
		}
		for i, s := range services {
			if v, err := s.users.Get(t.Context(), "ada"); v != (user{Name: "the user ada"}) || err != nil {
				t.Errorf("member %d: %+v, %v", i, v, err)
			}
		}
		owner := c.Owner("users", "ada")
		if item, err := services[0].users.Item(t.Context(), "ada"); err != nil || item.Owner != c.Node(owner).Name() {
			t.Errorf("its owner is %s, %v, and not member %d", item.Owner, err, owner)
		}
		for i, s := range services {
			if own := s.users.Stats().Entries == 1; own != (i == owner) {
				t.Errorf("member %d has the value: %t, and member %d owns it", i, own, owner)
			}
		}
	})
}

// TestOneMemberSeesWhatOthersWould: nobody has what the codec loses, in a cluster of one neither.
func TestOneMemberSeesWhatOthersWould(t *testing.T) {
	s := new(service)
	cachemeshtest.New(t, 1, cachemeshtest.OnNode(func(_ int, n *cachemesh.Node) error { return s.register(n) }))
	if v, err := s.users.Get(t.Context(), "ada"); v != (user{Name: "the user ada"}) || err != nil {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestOnNodeFails: the test ends, and says why.
func TestOnNodeFails(t *testing.T) {
	why := errors.New("no configuration")
	fails := cachemeshtest.OnNode(func(int, *cachemesh.Node) error { return why })
	r := new(recorder)
	r.run(func() { cachemeshtest.New(r, 1, fails) })
	if said := r.end(); !strings.Contains(said, "member 0: "+why.Error()) {
		t.Errorf("the test says %q", said)
	}
	r = new(recorder)
	r.run(func() { cachemeshtest.New(r, 1).Owner("users", "ada") })
	if said := r.end(); !strings.Contains(said, `no member that runs has group "users"`) {
		t.Errorf("the test says %q", said)
	}
}
