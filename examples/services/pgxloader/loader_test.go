package main

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A down database fails every query and notes what it was asked.
type down struct{ args []any }

var errDown = errors.New("connection refused")

func (d *down) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, errDown
}

func (d *down) Query(_ context.Context, _ string, args ...any) (pgx.Rows, error) {
	d.args = args
	return nil, errDown
}

func (d *down) QueryRow(context.Context, string, ...any) pgx.Row { return nil }

func TestLoadManyOfADatabaseThatIsDown(t *testing.T) {
	d := &down{}
	l := &loader{Queries: New(d)}
	got, err := l.loadMany()(t.Context(), []string{"1", "no number", "2"})
	if !errors.Is(err, errDown) || len(got) > 0 {
		t.Errorf("loadMany = %v, %v", got, err)
	}
	if ids, ok := d.args[0].([]int64); !ok || len(ids) != 2 || ids[0] != 1 || ids[1] != 2 {
		t.Errorf("it asked for %v, want 1 and 2", d.args[0])
	}
}
