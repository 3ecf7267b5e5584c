package route

import (
	"sync"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A Router decides who answers the keys of a group, and asks them.
type Router struct {
	owner.Part
	Ways      *reach.Ways
	Hot       *hotcache.Cache                            // copies of what others own
	Held      *session.Holder                            // the sessions under which they were granted
	Aliases   bool                                       // decoded values may share their bytes
	CopyEntry func(key string, data []byte) *store.Entry // makes the entry of a hot copy; nil: the bytes are the value
	UnknownTo unknownTo
	Noted     Noted    // claims of this member
	Joining   sync.Map // what GetOr loads here, by key, with faults.JoinAtMember
	Stats     counters
}
