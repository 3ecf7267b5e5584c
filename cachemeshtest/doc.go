// Package cachemeshtest runs a whole mesh inside a test: real nodes on a network
// in memory, so no ports, no waiting for free ones, and faults at will.
//
//	func TestSurvivesACrash(t *testing.T) {
//		c := cachemeshtest.New(t, 3)
//		users := cachemeshtest.Group(c, "users", func(member int) cachemesh.LoaderFunc[User] { return loadUser }, cachemesh.GroupOptions[User]{})
//		...
//		c.Kill(2)
//		c.Settle()
//		got, err := users(0).Get(t.Context(), "ada")
//		...
//	}
//
// Members are numbered from 0 and keep their number and name when they restart.
// Hand c.Node(i), or the group of member i, to the instance of your service that
// you test.
//
// Groups that your service registers itself are there before a node starts, and after Restart, by
// OnNode. What a loader returns comes back as other members see it, also from the member that loaded it
// and in a cluster of one: a field that the codec loses, such as an unexported one, is lost in the test.
//
// It works in real time and in a testing/synctest bubble. In a bubble a crash is
// noticed at once on your clock, because the bubble's clock jumps ahead while
// everybody waits; create the cluster inside it.
//
// The test fails if a node leaves goroutines behind. So a loader must end when
// its context does.
package cachemeshtest
