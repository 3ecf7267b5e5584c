package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"
	_ "modernc.org/sqlite"             // database/sql driver "sqlite"
)

// errNoRow means that the table has no such place.
var errNoRow = errors.New("no such place")

// An origin is the service's own database, SQLite or PostgreSQL: what the cache
// stands in front of. Its methods are called concurrently.
type origin struct {
	db     *sql.DB
	name   string    // for people; without a password
	byID   *sql.Stmt // nil until prepare
	asked  atomic.Uint64
	sqlite bool
}

const (
	originConns   = 8 // connections to the database, per process
	originTimeout = 5 * time.Second
	columns       = "id, name, country, latitude, longitude, population, timezone"
)

// openOrigin connects to the database of a DSN: "postgres://…" or the path of a
// SQLite file, which is created if it is missing.
func openOrigin(ctx context.Context, dsn string) (*origin, error) {
	o, driver, source, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	if o.db, err = sql.Open(driver, source); err != nil {
		return nil, fmt.Errorf("%s: %w", o.name, err)
	}
	o.db.SetMaxOpenConns(originConns)
	o.db.SetMaxIdleConns(originConns)
	ctx, cancel := context.WithTimeout(ctx, originTimeout)
	defer cancel()
	// A ping is not enough: SQLite looks at the file when it is first asked something.
	if _, err := o.hasTable(ctx); err != nil {
		o.db.Close()
		return nil, fmt.Errorf("%s: %w", o.name, err)
	}
	return o, nil
}

func parseDSN(dsn string) (o *origin, driver, source string, err error) {
	scheme, _, isURL := strings.Cut(dsn, "://")
	switch {
	case isURL && (scheme == "postgres" || scheme == "postgresql"):
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			return nil, "", "", err
		}
		name := fmt.Sprintf("PostgreSQL database %q at %s:%d", config.Database, config.Host, config.Port)
		return &origin{name: name}, "pgx", dsn, nil
	case isURL:
		return nil, "", "", fmt.Errorf("%s:// is not known: want postgres://… or the path of a SQLite file", scheme)
	}
	path, err := filepath.Abs(dsn)
	if err != nil {
		return nil, "", "", err
	}
	// WAL lets the members read while one of them writes.
	const pragmas = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_txlock=immediate"
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	return &origin{name: "SQLite file " + path, sqlite: true}, "sqlite", file.String() + pragmas, nil
}

// prepare readies the query of place. The table must exist.
func (o *origin) prepare(ctx context.Context) (err error) {
	o.byID, err = o.db.PrepareContext(ctx, "SELECT "+columns+" FROM cachemesh_places WHERE id = $1")
	return err
}

func (o *origin) close() error { return o.db.Close() }

// place reads one row: this is the query that the cache saves. Its error is
// errNoRow or the database's.
func (o *origin) place(ctx context.Context, id int64) (Place, error) {
	o.asked.Add(1)
	var p Place
	err := o.byID.QueryRowContext(ctx, id).Scan(p.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoRow
	}
	return p, err
}

// fields returns where the values of columns go.
func (p *Place) fields() []any {
	return []any{&p.ID, &p.Name, &p.Country, &p.Latitude, &p.Longitude, &p.Population, &p.Timezone}
}

// put inserts a place or replaces it.
func (o *origin) put(ctx context.Context, p Place) error {
	_, err := o.db.ExecContext(ctx, "INSERT INTO cachemesh_places ("+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, country = excluded.country, latitude = excluded.latitude,
		longitude = excluded.longitude, population = excluded.population, timezone = excluded.timezone`,
		p.ID, p.Name, p.Country, p.Latitude, p.Longitude, p.Population, p.Timezone)
	return err
}

// remove deletes a place. Its error is errNoRow or the database's.
func (o *origin) remove(ctx context.Context, id int64) error {
	result, err := o.db.ExecContext(ctx, "DELETE FROM cachemesh_places WHERE id = $1", id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return errNoRow
}

// all returns every place, the largest first, without being counted in asked:
// it is how the demonstration learns what the answers must be.
func (o *origin) all(ctx context.Context) ([]Place, error) {
	rows, err := o.db.QueryContext(ctx, "SELECT "+columns+" FROM cachemesh_places ORDER BY population DESC, id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var places []Place
	for rows.Next() {
		var p Place
		if err := rows.Scan(p.fields()...); err != nil {
			return nil, err
		}
		places = append(places, p)
	}
	return places, rows.Err()
}
