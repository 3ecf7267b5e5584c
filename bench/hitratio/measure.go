package hitratio

import "context"

// A Point is the hit ratio of one policy with one capacity on one trace.
type Point struct {
	Trace    string
	Policy   string
	Capacity int // entries
	Ratio    float64
	Held     int    `json:",omitempty"` // entries in it at the end, where it says
	Err      string `json:",omitempty"`
}

// The measured capacities, as shares of a trace's distinct keys.
var (
	Shares    = []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.4}
	FewShares = []float64{0.02, 0.1, 0.4}
)

// minCapacity leaves out capacities that no cache is built for.
const minCapacity = 100

// Measure replays a trace with every policy and with capacities that are shares
// of its distinct keys, from one goroutine.
func Measure(ctx context.Context, t *Trace, shares []float64, report func(Point)) error {
	for _, share := range shares {
		capacity := int(share * float64(t.Distinct))
		if capacity < minCapacity {
			continue
		}
		for _, policy := range Policies() {
			if err := ctx.Err(); err != nil {
				return err
			}
			p := Point{Trace: t.Name, Policy: policy.Name, Capacity: capacity}
			var err error
			if p.Ratio, p.Held, err = replay(policy, capacity, t); err != nil {
				p.Err = err.Error()
			}
			report(p)
		}
	}
	return nil
}

func replay(policy Policy, capacity int, t *Trace) (ratio float64, held int, err error) {
	c, err := policy.open(capacity)
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	hits := 0
	for _, key := range t.Keys {
		hit, err := c.Get(key)
		if err != nil {
			return 0, 0, err
		}
		if hit {
			hits++
		}
	}
	if l, ok := c.(interface{ Len() int }); ok {
		held = l.Len()
	}
	return float64(hits) / float64(len(t.Keys)), held, nil
}
