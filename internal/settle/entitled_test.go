package settle_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// What a member may do while its right lasts, and what it must not do after. Each test
// fails without the line named:
//
//	TestLeaseEndsWithTheRight        the least of Lease and what is left, in session.Granted.Renew
//	TestLeaseOnlyFromTheOwner        the look at the view after the fetch is registered, in begin
//	TestNobodyWhoLeavesHoldsCopies   v.Self >= 0, in begin
//	TestWriterEndsWithTheRight       WhileEntitled
//	TestMinorityLeavesTheOriginAlone the phase, in openLocked
//	TestMinoritysValuesAge           State.Limit, from the beginning of the load, in tryFillLocked
//	TestLoadThroughACut              the era that grows, or the loads that are voided, in dropHeld
//	TestHeirWaitsForTheRight         OwnFrom where a view settles, in actLocked
//	TestReturnerWaitsForTheRight     both places of OwnFrom, in actLocked
//	TestNobodyServesWithoutARight    confirmed, in State.Serves
//
// And elsewhere: TestOwedDeletesArePaid (Owe, PayOwed, pay), TestRelayIsAWire
// (the relay's look at the view), TestFirstSuccessorStandsIn, TestNoLeaseDuringClear
// (clearing, in registerLocked), TestClearAcrossAJoin (the second look at the view, in
// ClearHere), TestAnswerOfAnotherRun (whose answer it is, in quorum's Answered).
//
// These can be taken out and no test fails, because another line does the same alone:
//
//	era, in tryFillLocked            a load of a former era is void, and what it stored before that is dropped
//	dropHot, in DropBefore           sessions end with the grantor's right
//	the first look, in ClearHere     the second one; it only saves the work
//	the first voiding, in ClearHere  nothing is stored while emptying, and the second voiding
//	emptying, the second voiding     they cover loads that begin while the store is emptied, for microseconds
//	FlagCopy, in wire.ParseRequest   wire.PackRequest leaves it out, and a relay's answer carries no Lease
//	OwnFrom where a minority ends    a view settles no earlier either
//	SeeVersion, in handover's take   a new owner writes by a later primary, which counts before versions
//	gaining, in hitAt                nothing is held of such a key but what was handed over, the newest there is

// cutOff lets node i be called by nobody and call nobody; gossip goes on.
func cutOff(m *kit.Mesh, i int) {
	for j := range m.Nodes {
		if j != i {
			m.Net.RefuseStreams(kit.Host(i), kit.Host(j))
			m.Net.RefuseStreams(kit.Host(j), kit.Host(i))
		}
	}
}

// gets calls f after each Get of a node at a peer.
func gets(node int, f func(addr string, req *httppool.Request, resp *httppool.Response)) kit.Edit {
	return func(i int, o *cachemesh.Options) {
		if i != node {
			return
		}
		o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
			err := next.Call(ctx, req, resp)
			if req.Op == wire.OpGet {
				f(addr, req, resp)
			}
			return err
		}}
	}
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
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const right = 3 * time.Second
		m := kit.New(t, 3, func(_ int, o *cachemesh.Options) { o.Right = right })
		w := &waitingWriter{ended: make(chan time.Time, 1)}
		g := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{Writer: w, LoadTimeout: time.Minute})
		set := make(chan error, 1)
		go func() { set <- g[0].Set(ctx, m.KeyOf("g", 0), "v", 0) }()
		time.Sleep(time.Second)
		cutOff(m, 0)
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

// TestHeirWaitsForTheRight: whoever inherits the keys of a member that is cut off takes
// no write of them, and keeps nothing that it loads, before that member has stopped.
func TestHeirWaitsForTheRight(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3, func(_ int, o *cachemesh.Options) { o.Right, o.MaxStale = 6*time.Second, 10*time.Second })
		var row atomic.Value
		row.Store("old")
		g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{})
		keys := m.KeysOf("g", 2, 20)
		for _, key := range keys {
			kit.MustGet(t, g[2], key, "old")
		}
		m.Net.Partition([]string{kit.Host(2)})
		kit.AwaitMembers(t, ctx, m.Nodes[0], 2)
		kit.AwaitMembers(t, ctx, m.Nodes[1], 2)
		for _, key := range keys[1:] { // the heir's loads of what the former owner may write yet
			kit.MustGet(t, g[0], key, "old")
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
			kit.MustGet(t, g[0], key, "new")
		}
		done := make(chan error, 1)
		go func() { done <- g[0].Delete(ctx, keys[0]) }()
		for !stopped {
			select {
			case err := <-done:
				kit.Must(t, err)
				stopped = true
			default:
				time.Sleep(10 * time.Millisecond)
			}
		}
		if served() {
			t.Error("a Delete returned nil, and the former owner serves what it held")
		}
		m.Net.Heal()
	})
}

// TestReturnerWaitsForTheRight: so does one that comes from a minority, where it owned
// the key as well.
func TestReturnerWaitsForTheRight(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 6, func(_ int, o *cachemesh.Options) { o.Right, o.MaxStale = 10*time.Second, 10*time.Second })
		var row atomic.Value
		row.Store("old")
		g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{})
		names := make([]string, 6)
		for i := range names {
			names[i] = "node" + string(rune('0'+i))
		}
		key := kit.MovesTo("g", names[1:], names[:4], "node5", "node0", 1)[0]
		m.Net.Partition([]string{kit.Host(0)})
		kit.AwaitMode(t, m.Nodes[0], "minority")
		for _, n := range m.Nodes[1:] {
			kit.AwaitMembers(t, ctx, n, 5)
			kit.Must(t, kit.AwaitSettled(ctx, n, 5))
		}
		kit.MustGet(t, g[0], key, "old") // its own, as a minority
		kit.MustGet(t, g[5], key, "old")
		m.Net.Heal()
		m.Net.Partition([]string{kit.Host(4), kit.Host(5)})
		kit.AwaitMembers(t, ctx, m.Nodes[0], 4)
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
				kit.Must(t, err)
			default:
				time.Sleep(10 * time.Millisecond)
				continue
			}
			break
		}
		if served() {
			t.Error("a Delete returned nil, and the former owner serves what it held")
		}
		m.Net.Heal()
	})
}

// TestNobodyServesWithoutARight: a member whose questions nobody answers serves nothing
// that it holds, to whomever and however it is asked.
func TestNobodyServesWithoutARight(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var mute atomic.Bool
		m := kit.New(t, 3, func(i int, o *cachemesh.Options) {
			if i != 0 {
				return
			}
			o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if (req.Op == wire.OpFence || req.Op == wire.OpRelay) && mute.Load() {
					return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
				}
				return next.Call(ctx, req, resp)
			}}
		})
		var row atomic.Value
		row.Store("old")
		g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{})
		keys := m.KeysOf("g", 0, 8)
		for _, key := range keys {
			kit.MustGet(t, g[0], key, "old")
		}
		row.Store("new")
		kit.MustGet(t, g[0], keys[0], "old") // it is held
		mute.Store(true)
		time.Sleep(3100 * time.Millisecond)
		if n := len(m.Nodes[0].Members()); n != 3 {
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
