package work

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib" // and the driver "pgx"
	_ "modernc.org/sqlite"           // the driver "sqlite"
)

// sqlOrigin reads and writes the table bench_items.
type sqlOrigin struct {
	db           *sql.DB
	read, change *sql.Stmt
	from         int
	loads        atomic.Uint64
}

// SQLiteDSN returns the data source of a database file. Commits are not synced
// to the disk: the cache is measured here, not the disk.
func SQLiteDSN(file string) string {
	return "file:" + file + "?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=busy_timeout(10000)&_txlock=immediate"
}

// originConns bounds the connections of one process.
const originConns = 4

// openDB opens a file, or connects over a network with a delay.
func openDB(s OriginSpec) (*sql.DB, error) {
	if s.Driver != "pgx" {
		return sql.Open(s.Driver, s.DSN)
	}
	config, err := pgx.ParseConfig(s.DSN)
	if err != nil {
		return nil, err
	}
	config.DialFunc = s.Network.DialContext
	return stdlib.OpenDB(*config), nil
}

func openSQL(s OriginSpec, from int) (*sqlOrigin, error) {
	db, err := openDB(s)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(originConns)
	db.SetMaxIdleConns(originConns)
	o := &sqlOrigin{db: db, from: from}
	if o.read, err = db.Prepare(`SELECT version, body FROM bench_items WHERE key = $1`); err == nil {
		o.change, err = db.Prepare(`UPDATE bench_items SET version = version + 1 WHERE key = $1 RETURNING version`)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("origin: %w", err)
	}
	return o, nil
}

func (o *sqlOrigin) Load(ctx context.Context, key string) ([]byte, error) {
	o.loads.Add(1)
	it, err := ParseKey(key)
	if err != nil {
		return nil, err
	}
	version, _, err := o.row(ctx, key)
	if err != nil {
		return nil, err
	}
	return it.Value(o.from, version), nil
}

func (o *sqlOrigin) row(ctx context.Context, key string) (version uint64, body []byte, err error) {
	if err = o.read.QueryRowContext(ctx, key).Scan(&version, &body); err != nil {
		err = fmt.Errorf("origin: %s: %w", key, err)
	}
	return version, body, err
}

func (o *sqlOrigin) Write(ctx context.Context, it *Item) (uint64, error) {
	return o.increment(ctx, it.Key)
}

func (o *sqlOrigin) increment(ctx context.Context, key string) (version uint64, err error) {
	if err = o.change.QueryRowContext(ctx, key).Scan(&version); err != nil {
		err = fmt.Errorf("origin: %s: %w", key, err)
	}
	return version, err
}

func (o *sqlOrigin) Loads() uint64 { return o.loads.Load() }

func (o *sqlOrigin) Close() error { return o.db.Close() }

// rowsAtOnce is the number of rows in one INSERT.
const rowsAtOnce = 100

// CreateTable makes bench_items anew with the items at version 1.
func CreateTable(ctx context.Context, s OriginSpec, items []*Item) error {
	db, err := sql.Open(s.Driver, s.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	blob := "BLOB"
	if s.Driver == "pgx" {
		blob = "BYTEA"
	}
	for _, q := range []string{
		`DROP TABLE IF EXISTS bench_items`,
		`CREATE TABLE bench_items (key TEXT PRIMARY KEY, version BIGINT NOT NULL, body ` + blob + ` NOT NULL)`,
	} {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("origin: %w", err)
		}
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for len(items) > 0 {
		n := min(rowsAtOnce, len(items))
		if err := insert(ctx, tx, items[:n]); err != nil {
			return fmt.Errorf("origin: %w", err)
		}
		items = items[n:]
	}
	return tx.Commit()
}

func insert(ctx context.Context, tx *sql.Tx, items []*Item) error {
	var q strings.Builder
	q.WriteString(`INSERT INTO bench_items (key, version, body) VALUES `)
	args := make([]any, 0, 2*len(items))
	for i, it := range items {
		if i > 0 {
			q.WriteString(", ")
		}
		fmt.Fprintf(&q, "($%d, 1, $%d)", 2*i+1, 2*i+2)
		args = append(args, it.Key, it.Value(0, 1))
	}
	_, err := tx.ExecContext(ctx, q.String(), args...)
	return err
}
