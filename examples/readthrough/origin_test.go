package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// fewPlaces returns the n largest places.
func fewPlaces(t testing.TB, n int) []Place {
	t.Helper()
	places, err := readPlaces()
	if err != nil {
		t.Fatal(err)
	}
	return places[:n]
}

// filled returns an origin that holds the places and nothing else.
func filled(t testing.TB, dsn string, places []Place) *origin {
	t.Helper()
	o, err := openOrigin(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.close() })
	var rows atomic.Int64
	if err := o.fill(t.Context(), places, &rows); err != nil {
		t.Fatal(err)
	}
	if got := rows.Load(); got != int64(len(places)) {
		t.Fatalf("progress ended at %d rows, want %d", got, len(places))
	}
	if err := o.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o
}

func sqliteDSN(t testing.TB) string { return filepath.Join(t.TempDir(), "places of #1?.db") }

func TestSQLiteOrigin(t *testing.T) { testOrigin(t, sqliteDSN(t)) }

// testOrigin checks what the service relies on, with any database.
func testOrigin(t *testing.T, dsn string) {
	places := fewPlaces(t, 1234)
	o := filled(t, dsn, places)
	ctx := t.Context()

	all, err := o.all(ctx)
	if err != nil || !slices.Equal(all, places) {
		t.Fatalf("the table differs from what was imported: %d rows, error %v", len(all), err)
	}
	p := places[77]
	if got, err := o.place(ctx, p.ID); got != p || err != nil {
		t.Errorf("place %d: %+v, %v, want %+v", p.ID, got, err, p)
	}
	if _, err := o.place(ctx, 1); !errors.Is(err, errNoRow) {
		t.Errorf("place that does not exist: %v", err)
	}
	p.Name, p.Population = "O'Hara \"ß\" 東京", 1
	if err := o.put(ctx, p); err != nil {
		t.Fatal(err)
	}
	if got, err := o.place(ctx, p.ID); got != p || err != nil {
		t.Errorf("after an update: %+v, %v, want %+v", got, err, p)
	}
	if err := o.remove(ctx, p.ID); err != nil {
		t.Fatal(err)
	}
	if err := o.remove(ctx, p.ID); !errors.Is(err, errNoRow) {
		t.Errorf("second removal: %v", err)
	}
	if err := o.put(ctx, places[77]); err != nil {
		t.Fatal(err)
	}
	if got, err := o.place(ctx, p.ID); got != places[77] || err != nil {
		t.Errorf("after an insert: %+v, %v, want %+v", got, err, places[77])
	}
	if got := o.asked.Load(); got != 4 {
		t.Errorf("%d queries counted, want 4", got)
	}
}

func TestSQLiteImportIsAllOrNothing(t *testing.T) { testImportIsAllOrNothing(t, sqliteDSN(t)) }

func testImportIsAllOrNothing(t *testing.T, dsn string) {
	o, err := openOrigin(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	places := fewPlaces(t, 2*importBatch)
	places[len(places)-1].ID = places[0].ID // fails in the last batch
	var rows atomic.Int64
	if err := o.fill(t.Context(), places, &rows); err == nil {
		t.Error("two rows of one id were imported")
	}
	if found, err := o.hasTable(t.Context()); found || err != nil {
		t.Errorf("table found: %v, %v", found, err)
	}
}

func TestOpenOriginRefuses(t *testing.T) {
	noDatabase := filepath.Join(t.TempDir(), "letter.txt")
	if err := os.WriteFile(noDatabase, []byte(strings.Repeat("Dear Sir or Madam, ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ dsn, want string }{
		{"mysql://root@127.0.0.1/db", "mysql://"},
		{"postgres://127.0.0.1:notaport/db", "port"},
		{"postgres://user:geheim@127.0.0.1:1/db?sslmode=disable", "127.0.0.1:1"},
		{noDatabase, "not a database"},
		{filepath.Join(t.TempDir(), "no", "such", "directory"), "unable to open"},
	} {
		o, err := openOrigin(t.Context(), tc.dsn)
		if err == nil {
			o.close()
			t.Errorf("%s: no error", tc.dsn)
			continue
		}
		if !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want it to mention %q", tc.dsn, err, tc.want)
		}
		if strings.Contains(err.Error(), "geheim") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
