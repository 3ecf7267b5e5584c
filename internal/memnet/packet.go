package memnet

import (
	"container/heap"
	"net/netip"
	"time"
)

// A packet is on its way or waits to be read.
type packet struct {
	from netip.AddrPort
	data []byte
	due  time.Time // when it arrives; zero: when it was sent
	seq  uint64    // orders packets that arrive together
}

// A packetQueue is a heap of packets by the time they arrive.
type packetQueue []packet

func (q packetQueue) Len() int      { return len(q) }
func (q packetQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q packetQueue) Less(i, j int) bool {
	if c := q[i].due.Compare(q[j].due); c != 0 {
		return c < 0
	}
	return q[i].seq < q[j].seq
}

// Push is for container/heap.
func (q *packetQueue) Push(p any) { *q = append(*q, p.(packet)) }

// Pop is for container/heap.
func (q *packetQueue) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	(*q)[last] = packet{}
	*q = (*q)[:last]
	return p
}

func (q *packetQueue) push(p packet) { heap.Push(q, p) }
func (q *packetQueue) pop() packet   { return heap.Pop(q).(packet) }

// remove drops packets and returns how many bytes they had.
func (q *packetQueue) remove(drop func(packet) bool) (bytes int) {
	kept := (*q)[:0]
	for _, p := range *q {
		if drop(p) {
			bytes += len(p.data)
		} else {
			kept = append(kept, p)
		}
	}
	clear((*q)[len(kept):])
	*q = kept
	heap.Init(q)
	return bytes
}

// maxHeld bounds the packets that a paused host keeps until it is resumed.
const maxHeld = 256

// A heldPacket was sent while its host was paused.
type heldPacket struct {
	from, to netip.AddrPort
	data     []byte
}
