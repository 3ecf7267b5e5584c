package proc

import (
	"io"
	"os"
	"sync"

	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// A process is the driven end.
type process struct {
	spec   systems.Spec
	system systems.System
	origin work.Origin
	items  map[itemsKey][]*work.Item
	drawn  struct { // for the mixed work and the paced one
		key   sequenceKey
		items []*work.Item
		next  int // where paced work goes on
	}
	placed sync.Map // key to bool: whether this process holds it

	table   io.Closer // the origin being served, else nil
	profile *os.File  // being written, else nil
}

type itemsKey struct {
	size, keys int
	place      Place
}

type sequenceKey struct {
	size, keys int
	seed       uint64
}
