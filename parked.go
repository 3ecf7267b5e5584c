package cachemesh

import (
	"context"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
)

// Values may be handed over to a member that has not registered their group yet,
// as between Start and NewGroup. They are parked until it does.
const (
	parkedBytes = 64 << 20 // of all groups
	parkedKeys  = 1 << 16  // deleted meanwhile, of one group
	parkedFor   = 30 * time.Second
)

// A parkedGroup is what came for a group that is not registered. Guarded by
// Node.mu.
type parkedGroup struct {
	lists   []parkedList
	deleted map[string]struct{} // keys that must not come back
}

type parkedList struct {
	body    []byte
	arrived int64 // on the node's clock
}

// park keeps a list of values for a group that is not registered. It reports
// false if there is no room.
func (n *Node) park(group string, body []byte) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	total := len(body)
	for name, g := range n.parked {
		if last := g.lists[len(g.lists)-1]; now-last.arrived > int64(parkedFor) {
			delete(n.parked, name)
			continue
		}
		for _, l := range g.lists {
			total += len(l.body)
		}
	}
	if total > parkedBytes {
		return false
	}
	g := n.parked[group]
	if g == nil {
		g = &parkedGroup{deleted: make(map[string]struct{})}
		n.parked[strings.Clone(group)] = g
	}
	g.lists = append(g.lists, parkedList{append([]byte{}, body...), now})
	return true
}

// unpark drops keys of a group that is not registered, all if keys is nil.
func (n *Node) unpark(group string, keys []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	g := n.parked[group]
	if g == nil {
		return
	}
	for _, key := range keys {
		g.deleted[strings.Clone(key)] = struct{}{}
	}
	if keys == nil || len(g.deleted) > parkedKeys {
		delete(n.parked, group)
	}
}

// serveUnknown answers a request about a group that is not registered here.
func (n *Node) serveUnknown(req *httppool.Request, resp *httppool.Response) {
	resp.Status = statusUnknownGroup
	switch req.Op {
	case opHandOver:
		if v := n.view.Load(); v == nil || v.id != req.View {
			resp.Status = statusNotOwner
		} else if n.park(req.Group, req.Value) {
			resp.Status = statusOK
		}
	case opDelete:
		n.unpark(req.Group, []string{req.Key})
	case opDeleteMany:
		keys, _ := parseKeys(req.Value) // nil if malformed: drop all
		n.unpark(req.Group, keys)
	case opClear:
		n.unpark(req.Group, nil)
	}
}

// fetchParked stores what was parked for a group that is about to be registered.
func (c *groupCore) fetchParked(g *parkedGroup) {
	if c.loader != nil {
		return
	}
	for _, l := range g.lists {
		age := time.Duration(c.node.now() - l.arrived)
		if age > parkedFor {
			continue
		}
		// What this member does not own any more is refused, and lost.
		_ = c.merge(context.Background(), l.body, age, g.deleted)
	}
}
