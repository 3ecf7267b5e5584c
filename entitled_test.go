package cachemesh_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// What a member may do while its right lasts, and what it must not do after. Each test
// fails without the line named:
//
//	TestLeaseEndsWithTheRight        the least of Lease and what is left, in grant
//	TestLeaseOnlyFromTheOwner        the look at the view after the fetch is registered, in GetAt
//	TestNobodyWhoLeavesHoldsCopies   v.self >= 0, in GetAt
//	TestWriterEndsWithTheRight       WhileEntitled
//	TestMinorityLeavesTheOriginAlone the phase, in writableLocked
//	TestMinoritysValuesAge           limitNew, from the beginning of the load
//	TestLoadThroughACut              the era that grows, or the loads that are voided, in dropHeld
//	TestHeirWaitsForTheRight         OwnFrom where a view settles, in actLocked
//	TestReturnerWaitsForTheRight     OwnFrom where a minority ends, in actLocked
//	TestNobodyServesWithoutARight    confirmed, in hitAt, mayServeAt and serveManyHits
//
// And elsewhere: TestOwedDeletesArePaid (owe, payOwed, pay), TestNewer, TestRelayIsAWire
// (the relay's look at the view), TestFirstSuccessorStandsIn, TestNoLeaseDuringClear
// (clearing, in registerLocked), TestClearAcrossAJoin (the second look at the view, in
// ClearHere), TestAnswerOfAnotherRun (whose answer it is, in quorum's Answered).
//
// These can be taken out and no test fails, because another line does the same alone:
//
//	era, in tryFillLocked            a load of a former era is void, and what it stored before that is dropped
//	hot.InvalidateAll, in dropHeld   leases end with the grantor's right
//	the first look, in ClearHere     the second one; it only saves the work
//	the first voiding, in ClearHere  nothing is stored while emptying, and the second voiding
//	emptying, the second voiding     they cover loads that begin while the store is emptied, for microseconds
//	wire.FlagLease, in wire.ParseRequest       wire.PackRequest leaves it out, and a relay's answer carries no lease
//	sent, in the TTL of keep         the lease ends with the TTL, and counts from sent too
//	SeeVersion, in merge             a new owner writes by a later primary, which counts before versions
//	gaining, in hitAt                nothing is held of such a key but what was handed over, the newest there is

// cutOff lets node i be called by nobody and call nobody; gossip goes on.
func (m *mesh) cutOff(i int) {
	for j := range m.nodes {
		if j != i {
			m.net.RefuseStreams(hostName(i), hostName(j))
			m.net.RefuseStreams(hostName(j), hostName(i))
		}
	}
}

// gets calls f after each Get of a node at a peer.
func gets(node int, f func(addr string, req *httppool.Request, resp *httppool.Response)) edit {
	return func(i int, o *cachemesh.Options) {
		if i != node {
			return
		}
		o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
			err := next.Call(ctx, req, resp)
			if req.Op == cachemesh.OpGet {
				f(addr, req, resp)
			}
			return err
		}}
	}
}

// TestLeaseEndsWithTheRight: no copy outlives the right of the member that granted it,
// for the others wait for that and not for copies.
func TestLeaseEndsWithTheRight(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		const right, lease = 3 * time.Second, 5 * time.Second
		var mute atomic.Bool
		var longest atomic.Int64
		m := newMesh(t, 3, func(_ int, o *cachemesh.Options) { o.Right, o.Lease = right, lease },
			gets(1, func(_ string, _ *httppool.Request, resp *httppool.Response) {
				longest.Store(max(longest.Load(), int64(resp.Lease)))
			}),
			func(i int, o *cachemesh.Options) {
				if i != 0 {
					return
				}
				o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
					if (req.Op == cachemesh.OpFence || req.Op == cachemesh.OpRelay) && mute.Load() {
						return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
					}
					return next.Call(ctx, req, resp)
				}}
			})
		g := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := m.keysOf("g", 0, 2)
		for _, key := range keys {
			mustGet(t, g[0], key, "value of "+key)
		}
		mute.Store(true) // it asks nobody any more, and through nobody
		time.Sleep(2 * time.Second)
		mustGet(t, g[1], keys[0], "value of "+keys[0])
		if left := time.Duration(longest.Load()); left <= 0 || left > right-2*time.Second+200*time.Millisecond {
			t.Errorf("2s after its last question an owner whose right lasts %v granted a lease of %v", right, left)
		}
	})
}

// TestLeaseOnlyFromTheOwner: a member that took its aim by a view that is over asks for
// no lease. The former owner may grant one yet, and nobody would take it back.
func TestLeaseOnlyFromTheOwner(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		asked := make(map[string]bool)
		m := newMesh(t, 3, gets(0, func(addr string, req *httppool.Request, _ *httppool.Response) {
			asked[addr] = req.Flags&cachemesh.FlagLease != 0
		}))
		g := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{HotReads: 1})
		key := m.keyOf("g", 1)
		_ = cachemesh.GetAt(ctx, g[0], cachemesh.MemberID(m.nodes[2]), key)
		must(t, cachemesh.GetAt(ctx, g[0], cachemesh.MemberID(m.nodes[1]), key))
		if owner, former := asked[m.nodes[1].Addr()], asked[m.nodes[2].Addr()]; !owner || former || len(asked) != 2 {
			t.Errorf("asked for a lease: the owner %t, another %t", owner, former)
		}
	})
}

// TestNobodyWhoLeavesHoldsCopies: the others agree on views without it soon, and then
// nobody tells it.
func TestNobodyWhoLeavesHoldsCopies(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var asked, leases atomic.Int64
		m := newMesh(t, 3, gets(0, func(_ string, req *httppool.Request, _ *httppool.Response) {
			asked.Add(1)
			if req.Flags&cachemesh.FlagLease != 0 {
				leases.Add(1)
			}
		}))
		gate := make(chan struct{})
		g := groupOnEach(m, "g", func(i int) cachemesh.LoaderFunc[string] {
			return func(ctx context.Context, key string) (string, error) {
				if i == 0 {
					<-gate
				}
				return "value of " + key, nil
			}
		}, cachemesh.GroupOptions[string]{HotReads: 1})
		key := m.keyOf("g", 1)
		mustGet(t, g[1], key, "value of "+key)
		go g[0].Get(ctx, m.keyOf("g", 0)) // keeps Shutdown waiting
		time.Sleep(time.Millisecond)
		done := make(chan error, 1)
		go func() { done <- m.nodes[0].Shutdown(ctx) }()
		for !cachemesh.IsLeaving(m.nodes[0]) {
			time.Sleep(time.Millisecond)
		}
		must(t, cachemesh.GetAt(ctx, g[0], cachemesh.MemberID(m.nodes[1]), key))
		close(gate)
		must(t, <-done)
		if asked.Load() == 0 || leases.Load() != 0 {
			t.Errorf("%d of %d Gets of a member that leaves asked for a lease", leases.Load(), asked.Load())
		}
	})
}

// A waitingWriter writes rows once its context has ended, or never.
type waitingWriter struct {
	calls atomic.Int64
	ended chan time.Time
}

func (w *waitingWriter) Store(ctx context.Context, _, _ string) error {
	w.calls.Add(1)
	<-ctx.Done()
	w.ended <- time.Now()
	return ctx.Err()
}

func (w *waitingWriter) Delete(ctx context.Context, key string) error { return w.Store(ctx, key, "") }

// TestWriterEndsWithTheRight: when the right of an owner that is cut off is over, the
// others' Writer may run; its own is told before.
func TestWriterEndsWithTheRight(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		const right = 3 * time.Second
		m := newMesh(t, 3, func(_ int, o *cachemesh.Options) { o.Right = right })
		w := &waitingWriter{ended: make(chan time.Time, 1)}
		g := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{Writer: w, LoadTimeout: time.Minute})
		set := make(chan error, 1)
		go func() { set <- g[0].Set(ctx, m.keyOf("g", 0), "v", 0) }()
		time.Sleep(time.Second)
		m.cutOff(0)
		cut := time.Now()
		ended := (<-w.ended).Sub(cut)
		if ended > right+10*time.Millisecond {
			t.Errorf("the Writer was called off %v after its owner was cut off, whose right lasts %v", ended, right)
		}
		if err := <-set; err == nil {
			t.Error("the Set returned nil")
		}
	})
}

// TestMinorityLeavesTheOriginAlone: the majority's Writer may run for the same key.
func TestMinorityLeavesTheOriginAlone(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		w := &wtable{rows: map[string]string{}}
		g := groupOn(m, "g", w.load, cachemesh.GroupOptions[string]{Writer: w})
		keys := m.keysOf("g", 0, 2)
		must(t, g[0].Set(ctx, keys[0], "before", 0))
		m.net.Partition([]string{hostName(0)})
		awaitMode(t, m.nodes[0], "minority")
		for what, err := range map[string]error{"Set": g[0].Set(ctx, keys[0], "after", 0), "Delete": g[0].Delete(ctx, keys[0]),
			"Set of a new key": g[0].Set(ctx, keys[1], "new", 0)} {
			pe, ok := errors.AsType[*cachemesh.PeerError](err)
			if !errors.Is(err, cachemesh.ErrMinority) || ok && pe.MaybeApplied {
				t.Errorf("%s in a minority: %v, want ErrMinority, not applied", what, err)
			}
		}
		if w.rows[keys[0]] != "before" || w.rows[keys[1]] != "" || w.deletes != 0 {
			t.Errorf("the origin was touched: %v, %d deletes", w.rows, w.deletes)
		}
		m.net.Heal()
	})
}

func awaitMode(t *testing.T, n *cachemesh.Node, mode string) {
	t.Helper()
	for range 100000 {
		if n.Stats().Mode == mode && n.Stats().Settled {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%s: %+v, want %s", n.Name(), n.Stats().Mode, mode)
}

// TestMinoritysValuesAge: what a minority loads lives MaxStale from when its load began.
func TestMinoritysValuesAge(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		const maxStale, takes = 10 * time.Second, 6 * time.Second
		m := newMesh(t, 3, func(_ int, o *cachemesh.Options) { o.MaxStale = maxStale })
		var row atomic.Value
		row.Store("old")
		g := groupOn(m, "g", func(context.Context, string) (string, error) {
			v := row.Load().(string)
			time.Sleep(takes)
			return v, nil
		}, cachemesh.GroupOptions[string]{})
		m.net.Partition([]string{hostName(0)})
		awaitMode(t, m.nodes[0], "minority")
		key := m.keyOf("g", 0)
		began := time.Now()
		mustGet(t, g[0], key, "old")
		row.Store("new")
		time.Sleep(time.Second)
		before := time.Now()
		mustGet(t, g[0], key, "old")
		if time.Since(before) > 0 {
			t.Error("the value was not kept at all")
		}
		time.Sleep(maxStale - time.Since(began))
		mustGet(t, g[0], key, "new")
		if err := g[0].Set(ctx, key, "set", 0); !errors.Is(err, cachemesh.ErrMinority) {
			t.Fatal(err)
		}
		mustGet(t, g[0], key, "set")
		time.Sleep(maxStale)
		mustGet(t, g[0], key, "new")
		m.net.Heal()
	})
}

// TestLoadThroughACut: a load that began before its owner was cut off ends when it is
// back, having read a row that the majority has deleted meanwhile.
func TestLoadThroughACut(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		var row atomic.Value
		row.Store("old")
		read, release := make(chan struct{}), make(chan struct{})
		var hold atomic.Bool
		hold.Store(true)
		g := groupOnEach(m, "g", func(i int) cachemesh.LoaderFunc[string] {
			return func(context.Context, string) (string, error) {
				v := row.Load().(string)
				if i == 0 && hold.CompareAndSwap(true, false) {
					close(read)
					<-release
				}
				return v, nil
			}
		}, cachemesh.GroupOptions[string]{LoadTimeout: time.Hour})
		key := m.keyOf("g", 0)
		go g[0].Get(ctx, key)
		<-read
		m.net.Partition([]string{hostName(0)})
		awaitMode(t, m.nodes[0], "minority")
		row.Store("new")
		must(t, g[1].Delete(ctx, key))
		mustGet(t, g[0], key, "new") // it does not join the load
		m.net.Heal()
		for _, n := range m.nodes {
			awaitMembers(t, ctx, n, 3)
		}
		m.settle(3)
		mustGet(t, g[0], key, "new")
		close(release)
		time.Sleep(time.Second)
		for i := range g {
			mustGet(t, g[i], key, "new")
		}
	})
}

// TestHeirWaitsForTheRight: whoever inherits the keys of a member that is cut off takes
// no write of them, and keeps nothing that it loads, before that member has stopped.
func TestHeirWaitsForTheRight(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3, func(_ int, o *cachemesh.Options) { o.Right, o.MaxStale = 6*time.Second, 10*time.Second })
		var row atomic.Value
		row.Store("old")
		g := groupOn(m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{})
		keys := m.keysOf("g", 2, 20)
		for _, key := range keys {
			mustGet(t, g[2], key, "old")
		}
		m.net.Partition([]string{hostName(2)})
		awaitMembers(t, ctx, m.nodes[0], 2)
		awaitMembers(t, ctx, m.nodes[1], 2)
		for _, key := range keys[1:] { // the heir's loads of what the former owner may write yet
			mustGet(t, g[0], key, "old")
		}
		row.Store("new")
		stopped := false
		served := func() bool {
			v, err := g[2].Get(ctx, keys[0])
			return err == nil && v == "old"
		}
		if !served() {
			t.Fatal("the former owner has stopped already: this proves nothing")
		}
		for _, key := range keys[1:] {
			mustGet(t, g[0], key, "new")
		}
		done := make(chan error, 1)
		go func() { done <- g[0].Delete(ctx, keys[0]) }()
		for !stopped {
			select {
			case err := <-done:
				must(t, err)
				stopped = true
			default:
				time.Sleep(10 * time.Millisecond)
			}
		}
		if served() {
			t.Error("a Delete returned nil, and the former owner serves what it held")
		}
		m.net.Heal()
	})
}

// TestReturnerWaitsForTheRight: so does one that comes from a minority, where it owned
// the key as well.
func TestReturnerWaitsForTheRight(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 6, func(_ int, o *cachemesh.Options) { o.Right, o.MaxStale = 10*time.Second, 10*time.Second })
		var row atomic.Value
		row.Store("old")
		g := groupOn(m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{})
		names := make([]string, 6)
		for i := range names {
			names[i] = "node" + string(rune('0'+i))
		}
		key := movesTo("g", names[1:], names[:4], "node5", "node0", 1)[0]
		m.net.Partition([]string{hostName(0)})
		awaitMode(t, m.nodes[0], "minority")
		for _, n := range m.nodes[1:] {
			awaitMembers(t, ctx, n, 5)
			must(t, cachemesh.AwaitSettled(ctx, n, 5))
		}
		mustGet(t, g[0], key, "old") // its own, as a minority
		mustGet(t, g[5], key, "old")
		m.net.Heal()
		m.net.Partition([]string{hostName(4), hostName(5)})
		awaitMembers(t, ctx, m.nodes[0], 4)
		row.Store("new")
		done := make(chan error, 1)
		go func() {
			err := cachemesh.ErrMinority
			for errors.Is(err, cachemesh.ErrMinority) { // until it is with the majority
				err = g[0].Delete(ctx, key)
				time.Sleep(time.Millisecond)
			}
			done <- err
		}()
		served := func() bool {
			v, err := g[5].Get(ctx, key)
			return err == nil && v == "old"
		}
		if !served() {
			t.Fatal("the former owner has stopped already: this proves nothing")
		}
		for {
			select {
			case err := <-done:
				must(t, err)
			default:
				time.Sleep(10 * time.Millisecond)
				continue
			}
			break
		}
		if served() {
			t.Error("a Delete returned nil, and the former owner serves what it held")
		}
		m.net.Heal()
	})
}

// TestNobodyServesWithoutARight: a member whose questions nobody answers serves nothing
// that it holds, to whomever and however it is asked.
func TestNobodyServesWithoutARight(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var mute atomic.Bool
		m := newMesh(t, 3, func(i int, o *cachemesh.Options) {
			if i != 0 {
				return
			}
			o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if (req.Op == cachemesh.OpFence || req.Op == cachemesh.OpRelay) && mute.Load() {
					return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
				}
				return next.Call(ctx, req, resp)
			}}
		})
		var row atomic.Value
		row.Store("old")
		g := groupOn(m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{})
		keys := m.keysOf("g", 0, 8)
		for _, key := range keys {
			mustGet(t, g[0], key, "old")
		}
		row.Store("new")
		mustGet(t, g[0], keys[0], "old") // it is held
		mute.Store(true)
		time.Sleep(3100 * time.Millisecond)
		if n := len(m.nodes[0].Members()); n != 3 {
			t.Fatalf("it sees %d members: this proves nothing", n)
		}
		want := func(how, v string, err error) {
			if v != "new" || err != nil {
				t.Errorf("%s: %q, %v, want what the origin has", how, v, err)
			}
		}
		v, err := g[0].Get(ctx, keys[0])
		want("a Get of its own", v, err)
		many, err := g[0].GetMany(ctx, keys[1:3])
		want("a GetMany of its own", many[keys[1]], err)
		v, err = g[1].Get(ctx, keys[3])
		want("a peer's Get", v, err)
		many, err = g[1].GetMany(ctx, keys[4:])
		want("a peer's GetMany", many[keys[5]], err)
	})
}
