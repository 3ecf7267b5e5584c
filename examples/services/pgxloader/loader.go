package main

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh"
)

// A loader makes the queries into what a group loads with. Its methods are called
// concurrently.
type loader struct {
	*Queries
	queries, rows atomic.Int64
}

// loadMany is a cachemesh.LoadManyFunc: one query for all keys. A key that it
// leaves out of the map does not exist.
func (l *loader) loadMany(ctx context.Context, keys []string) (map[string]CachemeshProduct, error) {
	ids := make([]int64, 0, len(keys))
	for _, key := range keys {
		id, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			continue // no row has such an id
		}
		ids = append(ids, id)
	}
	l.queries.Add(1)
	found, err := l.GetProducts(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("products: %w", err)
	}
	l.rows.Add(int64(len(found)))
	products := make(map[string]CachemeshProduct, len(found))
	for _, p := range found {
		products[strconv.FormatInt(p.ID, 10)] = p
	}
	return products, nil
}

var _ cachemesh.LoadManyFunc[CachemeshProduct] = (*loader)(nil).loadMany
