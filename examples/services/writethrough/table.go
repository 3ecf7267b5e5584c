package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"sync/atomic"

	_ "modernc.org/sqlite" // database/sql driver "sqlite"

	"github.com/praveenduddu/cachemesh"
)

// An Account is a row.
type Account struct {
	Owner string
	Cents int64
}

// A table is the origin: what the loader reads and the Writer changes.
type table struct {
	db            *sql.DB
	reads, writes atomic.Int64
}

func openTable(ctx context.Context, path string) (*table, error) {
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	db, err := sql.Open("sqlite", file.String()+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	if _, err := db.ExecContext(ctx, "CREATE TABLE accounts (id TEXT PRIMARY KEY, owner TEXT NOT NULL, cents INTEGER NOT NULL)"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &table{db: db}, nil
}

// load is the loader.
func (t *table) load(ctx context.Context, key string) (Account, error) {
	t.reads.Add(1)
	var a Account
	err := t.db.QueryRowContext(ctx, "SELECT owner, cents FROM accounts WHERE id = ?", key).Scan(&a.Owner, &a.Cents)
	if errors.Is(err, sql.ErrNoRows) {
		err = cachemesh.ErrNotFound
	}
	return a, err
}

// Store and Delete make the table a cachemesh.Writer. They return when the row is
// committed: only then does the cache change.
func (t *table) Store(ctx context.Context, key string, a Account) error {
	t.writes.Add(1)
	_, err := t.db.ExecContext(ctx, `INSERT INTO accounts (id, owner, cents) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, cents = excluded.cents`, key, a.Owner, a.Cents)
	return err
}

func (t *table) Delete(ctx context.Context, key string) error {
	t.writes.Add(1)
	_, err := t.db.ExecContext(ctx, "DELETE FROM accounts WHERE id = ?", key)
	return err
}

// all reads the whole table.
func (t *table) all(ctx context.Context) (map[string]Account, error) {
	rows, err := t.db.QueryContext(ctx, "SELECT id, owner, cents FROM accounts")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	accounts := make(map[string]Account)
	for rows.Next() {
		var id string
		var a Account
		if err := rows.Scan(&id, &a.Owner, &a.Cents); err != nil {
			return nil, err
		}
		accounts[id] = a
	}
	return accounts, rows.Err()
}
