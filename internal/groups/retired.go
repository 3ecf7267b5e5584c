package groups

import (
	"maps"

	"github.com/praveenduddu/cachemesh/internal/handover"
)

// retired are groups that were closed and left something: values that nobody could load
// again, which are parked until a group of the name is registered, or keys that are owed
// to the majority. Guarded by Registry.mu.
type retired struct {
	groups  map[string]*Core
	parking *handover.Parking
}

// maxRetired bounds them. Values of a further one are lost; one that owes waits.
const maxRetired = handover.MaxGroups

// add remembers a closed group. It reports false if there are too many.
func (r *retired) add(c *Core) bool {
	if len(r.groups) >= maxRetired {
		r.forget()
	}
	if _, known := r.groups[c.Name]; !known && len(r.groups) >= maxRetired {
		return false
	}
	r.groups[c.Name] = c
	return true
}

// forget forgets the closed groups that have left nothing any more.
func (r *retired) forget() {
	maps.DeleteFunc(r.groups, func(name string, c *Core) bool { return !r.parking.Holds(name) && !c.Owed.Any() })
}

// inherit makes a group that is registered owe what the former one of its name owed.
func (r *retired) inherit(c *Core) {
	former := r.groups[c.Name]
	if former == nil || former.Origin.Load != nil && c.Origin.Load == nil {
		return
	}
	delete(r.groups, c.Name)
	if keys, all := former.Owed.Take(); all {
		c.OweAll()
	} else {
		for key := range keys {
			c.Owe(key)
		}
	}
}
