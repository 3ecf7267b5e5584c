package logqueue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"
)

// patience is never used up unless something is broken.
const patience = 20 * time.Second

// funcHandler is a slog.Handler of functions; a nil enabled enables all.
type funcHandler struct {
	slog.Handler
	enabled func(slog.Level) bool
	handle  func(slog.Record)
}

func (f funcHandler) Enabled(_ context.Context, l slog.Level) bool {
	return f.enabled == nil || f.enabled(l)
}
func (f funcHandler) Handle(_ context.Context, r slog.Record) error { f.handle(r); return nil }

func TestHandler(t *testing.T) {
	var b bytes.Buffer
	q := New(slog.NewJSONHandler(&b, nil))
	err := slogtest.TestHandler(q.Logger().Handler(), func() []map[string]any {
		if !q.Flush(patience) {
			t.Fatal("the lines were not written")
		}
		return parse(t, b.Bytes())
	})
	if err != nil {
		t.Error(err)
	}
}

func TestOrderAndSource(t *testing.T) {
	var got []string
	q := New(funcHandler{handle: func(r slog.Record) {
		frame, _ := runtime.CallersFrames([]uintptr{r.PC}).Next()
		got = append(got, fmt.Sprint(r.Message, strings.HasSuffix(frame.File, "logqueue_test.go")))
	}})
	log := q.Logger()
	for i := range depth {
		log.Info(fmt.Sprint(i, " "))
	}
	if !q.Close(patience) {
		t.Fatal("the lines were not written")
	}
	for i, g := range got {
		if want := fmt.Sprint(i, " true"); g != want {
			t.Errorf("line %d is %q, want %q", i, g, want)
		}
	}
	if len(got) != depth {
		t.Errorf("%d lines were written, want %d", len(got), depth)
	}
	log.Info("after Close")
	if q.Flush(0); len(got) != depth {
		t.Error("a line was written after Close")
	}
}

func TestLevels(t *testing.T) {
	var b bytes.Buffer
	q := New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelWarn}))
	log := q.Logger()
	log.Info("quiet")
	log.With("a", 1).Warn("loud")
	if q.Close(patience); strings.Contains(b.String(), "quiet") || !strings.Contains(b.String(), "loud a=1") {
		t.Errorf("got %q, want the warning alone", b.String())
	}
	silent := New(slog.DiscardHandler).Logger()
	if silent.Enabled(t.Context(), slog.LevelError) {
		t.Error("lines for nobody are made")
	}
}

// TestBlockedHandler: whoever logs goes on, lines are counted, Close gives up in time.
func TestBlockedHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var got []string
		q := New(funcHandler{handle: func(r slog.Record) {
			<-release
			line := r.Message
			r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
			got = append(got, line)
		}})
		log := q.Logger()
		log.Info("first")
		synctest.Wait() // it is with the handler
		for range depth + 7 {
			log.Info("more")
		}
		if q.Flush(time.Second) {
			t.Error("Flush says that all is written")
		}
		close(release)
		synctest.Wait()
		log.Info("last")
		synctest.Wait()
		n := len(got)
		if n != depth+3 || !strings.Contains(got[n-2], "lost") || !strings.HasSuffix(got[n-2], "lines=7") || got[n-1] != "last" {
			t.Errorf("got %d lines that end with %q, want %d and a count of 7", n, got[n-2:], depth+3)
		}

		release = make(chan struct{})
		log.Info("stuck")
		log.Info("waits")
		start := time.Now()
		if q.Close(time.Second) || time.Since(start) != time.Second {
			t.Errorf("Close came back after %v, want a second", time.Since(start))
		}
		close(release)
		synctest.Wait()
		if got[len(got)-1] != "stuck" {
			t.Errorf("%q was written after Close", got[len(got)-1])
		}
	})
}

// TestCloseSaysWhatWasLost: nothing is logged after it that could.
func TestCloseSaysWhatWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var last string
		q := New(funcHandler{handle: func(r slog.Record) {
			<-release
			last = r.Message
			r.Attrs(func(a slog.Attr) bool { last += " " + a.String(); return true })
		}})
		log := q.Logger()
		log.Info("first")
		synctest.Wait() // it is with the handler
		for range depth + 7 {
			log.Info("more")
		}
		time.AfterFunc(time.Second, func() { close(release) })
		if !q.Close(time.Minute) || !strings.HasSuffix(last, "lines=7") {
			t.Errorf("the last line is %q", last)
		}
	})
}

type valuer func() slog.Value

func (v valuer) LogValue() slog.Value { return v() }

// TestHandlersThatMisbehave: a panic or a Goexit, wherever the user is called, loses one line.
func TestHandlersThatMisbehave(t *testing.T) {
	for name, bad := range map[string]func(){
		"panic":  func() { panic("bad handler") },
		"Goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			text := slog.NewTextHandler(&b, nil)
			q := New(funcHandler{Handler: text,
				enabled: func(l slog.Level) bool {
					if l == slog.LevelError {
						bad()
					}
					return true
				},
				handle: func(r slog.Record) {
					if r.Message == "bad" {
						bad()
					}
					_ = text.Handle(context.Background(), r)
				}})
			log := q.Logger()
			log.Error("not asked in peace")
			log.Info("bad")
			log.Info("good", "value", valuer(func() slog.Value { return slog.StringValue("resolved") }))
			if !q.Close(patience) || !strings.Contains(b.String(), "msg=good value=resolved") {
				t.Errorf("got %q, want the good line", b.String())
			}
		})
	}
}

// TestCallsBack: a handler and a value that log themselves, and flush.
func TestCallsBack(t *testing.T) {
	var q *Queue
	var got []string
	q = New(funcHandler{handle: func(r slog.Record) {
		got = append(got, r.Message)
		r.Attrs(func(a slog.Attr) bool { a.Value.Resolve(); return true })
		if r.Message == "one" {
			q.Logger().Info("two")
		}
	}})
	q.Logger().Info("one", "v", valuer(func() slog.Value { q.Logger().Info("three"); return slog.Value{} }))
	if !q.Close(patience) || strings.Join(got, " ") != "one three two" {
		t.Errorf("got %q", got)
	}
}

func parse(t *testing.T, lines []byte) []map[string]any {
	var all []map[string]any
	for line := range bytes.Lines(lines) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}
