//go:build postgres

package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// postgresDSN returns a DSN that leads to an empty schema of this test's own.
// Without a usable CACHEMESH_POSTGRES_DSN the test fails.
func postgresDSN(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("CACHEMESH_POSTGRES_DSN")
	if dsn == "" {
		t.Fatal("CACHEMESH_POSTGRES_DSN is not set: want postgres://…")
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	schema := fmt.Sprintf("readthrough_test_%x", rand.Uint64())
	if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), "DROP SCHEMA "+schema+" CASCADE"); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	return u.String()
}

func TestPostgresOrigin(t *testing.T) { testOrigin(t, postgresDSN(t)) }

func TestPostgresImportIsAllOrNothing(t *testing.T) { testImportIsAllOrNothing(t, postgresDSN(t)) }

// The whole program, with the import of all places.
func TestPostgresDemonstration(t *testing.T) {
	dsn := postgresDSN(t)
	for _, want := range []string{"24 323 of 24 323 rows", "is used as it is"} {
		out, err := program(t, t.TempDir(), "-dsn", dsn, "-gets", "5000").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		const counted = "the loader ran 24 323 times and the database answered 24 323 queries."
		if !strings.Contains(string(out), want) || !strings.Contains(string(out), counted) {
			t.Errorf("the output lacks %q or %q:\n%s", want, counted, out)
		}
		t.Logf("%s", out)
	}
}

// PostgreSQL's own count says that each row was read once for the whole mesh.
func TestPostgresCountsOneQueryPerKey(t *testing.T) {
	dsn := postgresDSN(t)
	places := fewPlaces(t, 3000)
	o := filled(t, dsn, places)
	before := rowsRead(t, o)
	m, err := startMesh(t.Context(), 3, dsn, "")
	if err != nil {
		t.Fatal(err)
	}
	defer m.stop()
	if err := newDriver(m.clients, places).everything(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.stop(); err != nil {
		t.Fatal(err)
	}
	// A session reports what it did when it ends, and the members' have ended or are about to.
	want := int64(len(places))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	eventually(t, ctx, "PostgreSQL's statistics", func() bool { return rowsRead(t, o)-before >= want })
	if got := rowsRead(t, o) - before; got != want {
		t.Errorf("PostgreSQL looked up %d rows by id, want %d", got, want)
	}
}

// rowsRead returns how many rows PostgreSQL has looked up through the primary key.
func rowsRead(t *testing.T, o *origin) (n int64) {
	t.Helper()
	err := o.db.QueryRowContext(t.Context(), `SELECT idx_scan FROM pg_stat_user_indexes
		WHERE indexrelname = 'cachemesh_places_pkey' AND schemaname = current_schema()`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
