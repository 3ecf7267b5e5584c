package meshtest

import (
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// beyondReach are blows that keep members from the owners of keys for long enough
// that somebody else answers for these: whoever does, the owners go on taking writes.
var beyondReach = []blow{
	{name: "link to an owner cut", only: loading, play: func(s *struck) {
		a, b := s.callerAndOwner()
		s.CutLink(a, b)
		s.rest(beyondFor)
		s.Net.Heal()
	}},
	{name: "link to an owner cut one way", only: loading, play: func(s *struck) {
		a, b := s.callerAndOwner()
		s.Net.Cut(HostName(a), HostName(b))
		s.rest(beyondFor)
		s.Net.Heal()
	}},
	{name: "streams to an owner cut", only: loading, play: func(s *struck) {
		a, b := s.callerAndOwner()
		s.LoseStreams(a, b)
		s.rest(beyondFor)
		s.Net.Heal()
	}},
	{name: "owner whose streams are cut from two", only: loading, play: func(s *struck) {
		a, b := s.callerAndOwner()
		s.LoseStreams(b, a, (a+1+(b-a+struckMembers)%struckMembers)%struckMembers)
		s.rest(beyondFor)
		s.Net.Heal()
	}},
	{name: "streams refused between two", play: func(s *struck) {
		a, b := s.two()
		s.RefuseStreams(a, b)
		s.RefuseStreams(b, a)
		s.rest(struckFor)
		s.Net.Heal()
	}},
	{name: "full table of connections", alone: true, play: func(s *struck) {
		a := s.rng.IntN(struckMembers)
		s.HangUp(a, others(a)...)
		s.rest(struckFor)
		s.Net.Heal()
	}},
	{name: "streams reset again and again", play: func(s *struck) {
		for range 12 {
			a, b := s.two()
			s.Net.ResetStreams(HostName(a), HostName(b))
			s.rest(100 * time.Millisecond)
		}
	}},
	// While the two ends of the link are not confirmed they load what they own.
	{name: "link cut for many leases", only: []string{"write-through"}, edit: func(o *cachemesh.Options) { o.Lease, o.MaxStale = 100*time.Millisecond, time.Second },
		play: func(s *struck) {
			for range 3 {
				a, b := s.callerAndOwner()
				s.CutLink(a, b)
				s.rest(time.Second)
				s.Net.Heal()
				s.rest(300 * time.Millisecond)
			}
		}},
}

// beyondFor is longer than a silent connection, and then a dial, are waited for.
const beyondFor = 10 * time.Second

var loading = []string{"loader", "loader without hot copies", "write-through"}

// callerAndOwner returns a member and the one that owns the key that is read most.
func (s *struck) callerAndOwner() (caller, owner int) {
	caller, owner = s.two()
	for i, g := range s.groups {
		if owns(g, "hot") {
			owner = i
		}
	}
	if caller == owner {
		caller = (owner + 1) % struckMembers
	}
	return caller, owner
}

// TestLinearizableBeyondReach checks histories in which members cannot call the owner
// of a key while all agree on who that is.
func TestLinearizableBeyondReach(t *testing.T) { checkBlows(t, beyondReach) }
