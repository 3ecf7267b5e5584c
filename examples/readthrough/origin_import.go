package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync/atomic"
)

// importBatch rows go into one INSERT, 7 parameters each. A larger batch is
// slower: SQLite's driver looks for each parameter among all of them.
const importBatch = 100

const (
	createTable = `CREATE TABLE cachemesh_places (
		id         BIGINT PRIMARY KEY,
		name       TEXT NOT NULL,
		country    TEXT NOT NULL,
		latitude   DOUBLE PRECISION NOT NULL,
		longitude  DOUBLE PRECISION NOT NULL,
		population BIGINT NOT NULL,
		timezone   TEXT NOT NULL
	)`
	createIndex = `CREATE INDEX cachemesh_places_population ON cachemesh_places (population DESC, id)`
)

// fill makes the table and imports the places in one transaction, so that it is
// there as a whole or not at all. rows tells, at any time, how many went in.
func (o *origin) fill(ctx context.Context, places []Place, rows *atomic.Int64) error {
	tx, err := o.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	if _, err := tx.ExecContext(ctx, createTable); err != nil {
		return err
	}
	for done := 0; done < len(places); {
		batch := places[done:min(done+importBatch, len(places))]
		if err := insert(ctx, tx, batch); err != nil {
			return err
		}
		done += len(batch)
		rows.Store(int64(done))
	}
	if _, err := tx.ExecContext(ctx, createIndex); err != nil {
		return err
	}
	return tx.Commit()
}

func insert(ctx context.Context, tx *sql.Tx, places []Place) error {
	var query strings.Builder
	query.WriteString("INSERT INTO cachemesh_places (" + columns + ") VALUES ")
	args := make([]any, 0, 7*len(places))
	for i, p := range places {
		if i > 0 {
			query.WriteString(", ")
		}
		n := len(args)
		fmt.Fprintf(&query, "($%d, $%d, $%d, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4, n+5, n+6, n+7)
		args = append(args, p.ID, p.Name, p.Country, p.Latitude, p.Longitude, p.Population, p.Timezone)
	}
	_, err := tx.ExecContext(ctx, query.String(), args...)
	return err
}

// hasTable reports whether the table of places exists where put and place would
// find it.
func (o *origin) hasTable(ctx context.Context) (found bool, err error) {
	query := "SELECT to_regclass('cachemesh_places') IS NOT NULL"
	if o.sqlite {
		query = "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = 'cachemesh_places'"
	}
	err = o.db.QueryRowContext(ctx, query).Scan(&found)
	return found, err
}
