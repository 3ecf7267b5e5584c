package cachemesh_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// handlerFunc is a slog.Handler that calls one function for everything it is asked.
type handlerFunc func(what string)

func (f handlerFunc) Enabled(context.Context, slog.Level) bool  { f("Enabled"); return true }
func (f handlerFunc) Handle(context.Context, slog.Record) error { f("Handle"); return nil }
func (f handlerFunc) WithAttrs([]slog.Attr) slog.Handler        { f("WithAttrs"); return f }
func (f handlerFunc) WithGroup(string) slog.Handler             { f("WithGroup"); return f }

// TestLogHandlersThatMisbehave: one of three members has a log handler that does what
// none should. All three start, agree, serve and close as if it had none.
func TestLogHandlersThatMisbehave(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for _, test := range []struct {
		name string
		bad  func(n *cachemesh.Node, what string)
	}{
		{"calls the node", func(n *cachemesh.Node, _ string) { n.Stats(); n.Members(); n.Get([]byte("k")) }},
		{"writes and waits for an owner", func(n *cachemesh.Node, _ string) { n.Set([]byte("written by a handler"), nil, 0) }},
		{"blocks", func(*cachemesh.Node, string) { <-release }},
		{"blocks when asked for levels", func(_ *cachemesh.Node, what string) {
			if what == "Enabled" {
				<-release
			}
		}},
		{"panics", func(*cachemesh.Node, string) { panic("a log handler") }},
		{"closes the node when it has joined", func(n *cachemesh.Node, _ string) {
			if s := n.Stats(); s.Settled && s.Members == 4 {
				n.Close()
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var node atomic.Pointer[cachemesh.Node]
			var calls atomic.Int64
			m := newMesh(t, 1)
			bad := m.newNode(1, func(_ int, o *cachemesh.Options) {
				o.Logger = slog.New(handlerFunc(func(what string) {
					if n := node.Load(); n != nil { // not while New makes it
						calls.Add(1)
						test.bad(n, what)
					}
				}))
			})
			node.Store(bad)
			m.nodes = append(m.nodes, bad, m.newNode(2))
			must(t, m.nodes[2].Start())
			must(t, bad.Start())
			m.settle(3)
			ctx := testContext(t)
			groups := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})
			for i, g := range groups {
				must(t, g.Set(ctx, m.keyOf("g", (i+1)%3), "v", 0))
				mustGet(t, groups[(i+2)%3], m.keyOf("g", (i+1)%3), "v")
			}
			m.nodes = append(m.nodes, m.newNode(3)) // one more view
			must(t, m.nodes[3].Start())
			if test.name != "closes the node when it has joined" {
				m.settle(4)
			}
			start := time.Now()
			must(t, bad.Close())
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("Close took %v", took)
			}
			if calls.Load() == 0 {
				t.Error("the handler was never called")
			}
		})
	}
}
