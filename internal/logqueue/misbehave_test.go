package logqueue_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
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
			m := kit.New(t, 1)
			bad := m.NewNode(1, func(_ int, o *cachemesh.Options) {
				o.Logger = slog.New(handlerFunc(func(what string) {
					if n := node.Load(); n != nil { // not while New makes it
						calls.Add(1)
						test.bad(n, what)
					}
				}))
			})
			node.Store(bad)
			m.Nodes = append(m.Nodes, bad, m.NewNode(2))
			kit.Must(t, m.Nodes[2].Start())
			kit.Must(t, bad.Start())
			m.Settle(3)
			ctx := kit.Context(t)
			groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
			for i, g := range groups {
				kit.Must(t, g.Set(ctx, m.KeyOf("g", (i+1)%3), "v", 0))
				kit.MustGet(t, groups[(i+2)%3], m.KeyOf("g", (i+1)%3), "v")
			}
			m.Nodes = append(m.Nodes, m.NewNode(3)) // one more view
			kit.Must(t, m.Nodes[3].Start())
			if test.name != "closes the node when it has joined" {
				m.Settle(4)
			}
			start := time.Now()
			kit.Must(t, bad.Close())
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("Close took %v", took)
			}
			if calls.Load() == 0 {
				t.Error("the handler was never called")
			}
		})
	}
}
