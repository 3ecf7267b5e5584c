package copies

import (
	"time"
)

// clearings are Clears for which this member has said a version, by name, and until when they
// may be carried out. Guarded by guarded.mu.
type clearings map[string]int64

const (
	clearingFor  = 5 * time.Second
	maxClearings = 256
)

func (m clearings) forget(now int64) {
	for name, until := range m {
		if now >= until {
			delete(m, name)
		}
	}
}

// add notes a name, or that it may be carried out for longer. It reports false if there is no room.
func (m clearings) add(name string, now int64) bool {
	m.forget(now)
	if _, known := m[name]; !known && len(m) >= maxClearings {
		return false
	}
	m[name] = now + int64(clearingFor)
	return true
}
