package cachemesh

import (
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/serve"
)

// A groupCore is a group without its type: it decides who answers a key and
// asks them. Values are entries: bytes, and beside them the decoded value.
type groupCore struct {
	route.Router
	node    *Node
	server  serve.Server
	closure closure
	uses    uses
}

// reserved is what a group's core takes of MaxBytes.
func (c *groupCore) reserved() int64 {
	return int64(unsafe.Sizeof(*c)) + c.ShardsCost()
}
