package owner

import "testing"

// TestWritings: the next write of a key waits for the call of the Writer that runs, and of
// those whose time has passed there are so many.
func TestWritings(t *testing.T) {
	m := writings{calls: make(map[string]*writing)}
	if free, err := m.pending("k"); free != nil || err != nil {
		t.Fatalf("pending = %v, %v", free, err)
	}
	m.begin("k")
	w := m.calls["k"]
	if free, err := m.pending("k"); free != (<-chan struct{})(w.free) || err != nil || m.areQuiet() {
		t.Errorf("pending = %v, %v while the Writer runs", free, err)
	}
	if late := m.end("k", w); late || len(m.calls) != 0 || m.passOver(w) {
		t.Error("a Writer that returned in time is late")
	}
	m.overdue = maxOverdue
	if _, err := m.pending("other"); err != errOverdue {
		t.Errorf("pending = %v, want %v", err, errOverdue)
	}
}
