package growth

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// minIdle is how long gossip is watched at least: it comes in bursts.
const minIdle = time.Second

// measureGossip counts what the members say to each other when nothing happens.
func (m *mesh) measureGossip(ctx context.Context, d time.Duration, r *Result) error {
	d = max(d, minIdle)
	packets, bytes := m.meter.packets.Load(), m.meter.bytes.Load()
	start := time.Now()
	select {
	case <-time.After(d):
	case <-ctx.Done():
		return ctx.Err()
	}
	seconds := time.Since(start).Seconds() * float64(r.Members)
	r.PacketRate = float64(m.meter.packets.Load()-packets) / seconds
	r.ByteRate = float64(m.meter.bytes.Load()-bytes) / seconds
	return nil
}

// measureCalls drives the first member.
func (m *mesh) measureCalls(ctx context.Context, d time.Duration, r *Result) error {
	items := work.Shuffled(work.Items(valueSize, keys), 7)
	group := m.groups[0]
	get := func(ctx context.Context, _ *work.Caller, it *work.Item) error {
		b, err := group.Get(ctx, it.Key)
		if err == nil {
			_, err = it.Check(b)
		}
		return err
	}
	set := func(ctx context.Context, _ *work.Caller, it *work.Item) error {
		return group.Set(ctx, it.Key, it.Value(0, 1), 0)
	}
	if err := work.Each(items, callers, func(it *work.Item) error { return get(ctx, nil, it) }); err != nil {
		return err
	}
	mine := m.mine(ctx, items)
	warm := d / 4
	for _, run := range []struct {
		result **work.Result
		drive  work.Drive
		op     work.Op
	}{
		{&r.GetHere, work.Drive{Callers: 1, Items: mine}, get},
		{&r.GetAnywhere, work.Drive{Callers: callers, Items: items, Timed: true}, get},
		{&r.SetAnywhere, work.Drive{Callers: callers, Items: items, Timed: true}, set},
	} {
		run.drive.Duration = warm
		work.Run(ctx, run.drive, run.op)
		run.drive.Duration = d
		*run.result = work.Run(ctx, run.drive, run.op)
	}
	return nil
}

// mine returns the items that the first member answers from its own memory.
func (m *mesh) mine(ctx context.Context, items []*work.Item) []*work.Item {
	var mine []*work.Item
	for _, it := range items {
		before := m.groups[0].Stats().OwnHits
		if _, err := m.groups[0].Get(ctx, it.Key); err == nil && m.groups[0].Stats().OwnHits > before {
			mine = append(mine, it)
		}
	}
	return mine
}
