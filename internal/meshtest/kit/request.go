package kit

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Packed makes a list of values as they are handed over.
func Packed(version uint64, left time.Duration, pairs ...string) (list []byte) {
	for i := 0; i < len(pairs); i += 2 {
		list = binary.AppendUvarint(list, uint64(len(pairs[i])))
		list = append(list, pairs[i]...)
		list = binary.LittleEndian.AppendUint64(list, version)
		list = append(list, 0, 0, 0, 1) // the run
		list = append(list, 0)          // the number of its primary
		list = binary.AppendUvarint(list, uint64(left))
		list = append(list, 0)
		list = binary.AppendUvarint(list, uint64(len(pairs[i+1])))
		list = append(list, pairs[i+1]...)
	}
	return list
}

// Hand hands a list over to a node, as a peer does, and returns the status.
func Hand(ctx context.Context, n *cachemesh.Node, group string, list []byte) uint8 {
	return Ask(ctx, n, httppool.Request{Op: wire.OpHandOver, Group: group, View: seam.Inside(n).ViewID(), Value: list}).Status
}

// Ask makes a request of a node, as a peer does, and returns the answer.
func Ask(ctx context.Context, n *cachemesh.Node, req httppool.Request) (resp httppool.Response) {
	seam.Inside(n).Handle(ctx, "peer", &req, &resp)
	return resp
}
