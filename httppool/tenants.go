package httppool

import (
	"slices"
	"sync"
)

const (
	maxTenants = 1024 // addresses remembered
	maxFormer  = 4    // processes remembered of each
)

// tenants remembers which process connected last from each advertised address. A process
// that restarts is followed by its next run and never heard of again; if it is, two
// processes that live were given one address.
type tenants struct {
	mu sync.Mutex          // guards at
	at map[string][]string // by address: ids, the latest first
}

// moveIn notes that the process id, whose proof was checked, is at addr.
func (t *tenants) moveIn(addr, id string) {
	if addr == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := t.at[addr]
	if len(ids) > 0 && ids[0] == id {
		return
	}
	if t.at == nil || len(ids) == 0 && len(t.at) >= maxTenants {
		t.at = make(map[string][]string) // to find out late is no harm
	}
	ids = slices.Insert(slices.DeleteFunc(slices.Clone(ids), func(s string) bool { return s == id }), 0, id)
	t.at[addr] = ids[:min(len(ids), maxFormer)]
}

// successor returns the process that came to addr after id did, "" if there is none.
func (t *tenants) successor(addr, id string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.at[addr], id); i > 0 {
		return t.at[addr][i-1]
	}
	return ""
}
