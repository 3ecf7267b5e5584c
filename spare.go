package cachemesh

import (
	"strings"

	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// keepSpares stores values that nobody asked for, some of them if they are very many.
func (g *Group[V]) keepSpares(t *owner.SpareToken, l *loading, asked map[string]origin.Loaded, values map[string]V) {
	c, looked := g.core, 0
	if t.View == nil {
		return
	}
	for key, v := range values {
		if looked == owner.MaxLoadMany {
			return
		}
		if _, ok := asked[key]; ok || wire.CheckKey(key) != nil {
			continue
		}
		looked++
		hash := ring.Hash(c.Seed, key)
		if c.State.MayServe(hash, c.Clock.Now()) != nil {
			continue
		}
		if e, err := g.loadedEntry(strings.Clone(key), v, l); err == nil {
			c.KeepSpare(t, hash, e)
		}
	}
}
