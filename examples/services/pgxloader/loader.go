package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh"
)

// A loader makes the queries into what a group loads with. Its methods are called
// concurrently.
type loader struct {
	*Queries
	queries, rows atomic.Int64
}

// products makes one query for all ids. A row that it does not return does not exist.
func (l *loader) products(ctx context.Context, ids []int64) ([]CachemeshProduct, error) {
	l.queries.Add(1)
	found, err := l.GetProducts(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("products: %w", err)
	}
	l.rows.Add(int64(len(found)))
	return found, nil
}

// loadMany returns what a group loads with: keys are strings, ids are numbers.
func (l *loader) loadMany() cachemesh.LoadManyFunc[CachemeshProduct] {
	return cachemesh.LoadRows(cachemesh.KeyFormat[int64]{}, l.products, func(p CachemeshProduct) int64 { return p.ID })
}
