package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // database/sql driver "sqlite"

	"github.com/praveenduddu/cachemesh"
)

// An Account is a row, as the mesh keeps it.
type Account struct {
	Cents   int64
	Changes int64 // how often the row was changed: tells which of two answers is newer
}

// A bank is one instance of the service: the database, and its member's part of the cache.
type bank struct {
	db       *sql.DB
	accounts *cachemesh.Group[Account]
}

const schema = `
CREATE TABLE accounts (id TEXT PRIMARY KEY, cents INTEGER NOT NULL, changes INTEGER NOT NULL);
CREATE TABLE owed (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL);`

// openDB opens the database, which all instances share. A key in the table owed is one whose
// row has changed, and of which the mesh may not know yet.
func openDB(ctx context.Context, dir string) (*sql.DB, error) {
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(dir, "bank.db"))}
	db, err := sql.Open("sqlite", file.String()+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// loader reads an account: outside of any transaction, so it sees what was committed before
// it began.
func loader(db *sql.DB) cachemesh.LoaderFunc[Account] {
	return func(ctx context.Context, id string) (a Account, err error) {
		err = db.QueryRowContext(ctx, "SELECT cents, changes FROM accounts WHERE id = ?", id).Scan(&a.Cents, &a.Changes)
		if errors.Is(err, sql.ErrNoRows) {
			err = cachemesh.ErrNotFound
		}
		return a, err
	}
}

// transfer moves money from one account to another. When it returns nil, no member of the
// majority serves what the two had before.
func (b *bank) transfer(ctx context.Context, from, to string, cents int64) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if err := move(ctx, tx, from, to, cents); err != nil {
		return err
	}
	ids, err := owe(ctx, tx, from, to)
	if err != nil {
		return err
	}
	// An error of Commit does not say that nothing has changed: its answer can get lost.
	err = tx.Commit()
	return errors.Join(err, b.forget(ctx, ids, from, to))
}

func move(ctx context.Context, tx *sql.Tx, from, to string, cents int64) error {
	const change = "UPDATE accounts SET cents = cents + ?, changes = changes + 1 WHERE id = ?"
	if _, err := tx.ExecContext(ctx, change, -cents, from); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, change, cents, to)
	return err
}

// owe notes, in the transaction that changes the rows, that the mesh is to be told. It returns
// the numbers of the notes.
func owe(ctx context.Context, tx *sql.Tx, keys ...string) (ids []int64, err error) {
	for _, key := range keys {
		var id int64
		if err := tx.QueryRowContext(ctx, "INSERT INTO owed (key) VALUES (?) RETURNING id", key).Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// paid removes notes of which the mesh knows.
func (b *bank) paid(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		if _, err := b.db.ExecContext(ctx, "DELETE FROM owed WHERE id = ?", id); err != nil {
			return err
		}
	}
	return nil
}

// forget has the mesh forget keys whose rows have changed, and removes the notes of that. It goes on
// when the request whose context it has is over: the rows have changed, whoever waits for the answer.
func (b *bank) forget(ctx context.Context, ids []int64, keys ...string) error {
	return cachemesh.AfterCommit(ctx, 0, func(ctx context.Context) error {
		if err := b.accounts.Delete(ctx, keys...); err != nil {
			return err // it is called again, for 10 s
		}
		return b.paid(ctx, ids)
	})
}

// sweep forgets what is owed: also of instances that ended between COMMIT and Delete. A
// service calls it when it starts, and every few seconds. It returns how many keys there were.
func (b *bank) sweep(ctx context.Context) (int, error) {
	ids, keys, err := b.owed(ctx)
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	if err := b.accounts.Delete(ctx, keys...); err != nil {
		return 0, err // the next sweep finds them again
	}
	return len(keys), b.paid(ctx, ids)
}

// owed reads up to 1000 of the keys that are owed, the oldest first.
func (b *bank) owed(ctx context.Context) (ids []int64, keys []string, err error) {
	rows, err := b.db.QueryContext(ctx, "SELECT id, key FROM owed ORDER BY id LIMIT 1000")
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var key string
		if err := rows.Scan(&id, &key); err != nil {
			return nil, nil, err
		}
		ids, keys = append(ids, id), append(keys, key)
	}
	return ids, keys, rows.Err()
}
