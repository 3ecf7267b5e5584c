package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// In the form that sqlc generates from query.sql, so that generated code takes
// its place without a change elsewhere.

type DBTX interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
	Query(context.Context, string, ...any) (pgx.Rows, error)
	QueryRow(context.Context, string, ...any) pgx.Row
}

type Queries struct{ db DBTX }

func New(db DBTX) *Queries { return &Queries{db: db} }

type CachemeshProduct struct {
	ID    int64
	Name  string
	Cents int64
}

const getProducts = `-- name: GetProducts :many
SELECT id, name, cents FROM cachemesh_products WHERE id = ANY($1::bigint[])
`

func (q *Queries) GetProducts(ctx context.Context, ids []int64) ([]CachemeshProduct, error) {
	rows, err := q.db.Query(ctx, getProducts, ids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[CachemeshProduct])
}

const setPrice = `-- name: SetPrice :exec
UPDATE cachemesh_products SET cents = $1 WHERE id = $2
`

type SetPriceParams struct {
	Cents int64
	ID    int64
}

func (q *Queries) SetPrice(ctx context.Context, arg SetPriceParams) error {
	_, err := q.db.Exec(ctx, setPrice, arg.Cents, arg.ID)
	return err
}
