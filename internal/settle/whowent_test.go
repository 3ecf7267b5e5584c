package settle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// jsonLines is a log whose lines are objects. Its methods are called concurrently.
type jsonLines struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (j *jsonLines) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

// take returns the lines since it was called last.
func (j *jsonLines) take(t *testing.T) (lines []map[string]any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for d := json.NewDecoder(&j.buf); d.More(); {
		var line map[string]any
		kit.Must(t, d.Decode(&line))
		lines = append(lines, line)
	}
	j.buf.Reset()
	return lines
}

// TestLogSaysWhoCameAndWent: each by name, and a restart in order is no warning, while a crash is one.
func TestLogSaysWhoCameAndWent(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var log jsonLines
		m := kit.New(t, 3, func(i int, o *cachemesh.Options) {
			if i == 0 {
				o.Logger = slog.New(slog.NewJSONHandler(&log, nil))
			}
		})
		told := func(what, key, name, level string) {
			t.Helper()
			seam.Inside(m.Nodes[0]).FlushLog()
			found := false
			for _, line := range log.take(t) {
				names, _ := line[key].([]any)
				if found = found || len(names) == 1 && names[0] == name && line["level"] == level; line["level"] != "INFO" && level == "INFO" {
					t.Errorf("%s: the log warns: %v", what, line)
				}
				if line["member"] != "node0" {
					t.Errorf("a line does not say whose it is: %v", line)
				}
			}
			if !found {
				t.Errorf("%s: no line of level %s has %s=%s", what, level, key, name)
			}
		}
		seam.Inside(m.Nodes[0]).FlushLog()
		log.take(t)
		restart := func(i int) {
			t.Helper()
			m.Nodes[i] = m.NewNode(i)
			kit.Must(t, m.Nodes[i].Start())
			m.Settle(3)
		}
		kit.Must(t, m.Nodes[1].Shutdown(ctx))
		m.Nodes[1] = nil
		m.Settle(2)
		time.Sleep(5 * time.Second)
		told("a member left", "left", "node1", "INFO")
		restart(1)
		told("it is back", "joined", "node1", "INFO")
		m.Kill(2)
		m.Settle(2)
		told("a member crashed", "gone", "node2", "WARN")
		restart(2)
		told("it is back", "joined", "node2", "INFO")
	})
}
