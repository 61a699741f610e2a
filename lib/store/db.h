/*
 * db: the connection to state.db, which is derived from the blocks (and its
 * table of segment objects from the segments) and can be deleted at any time.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>

#include "crypto/hash.h"
#include "store/repo.h"

struct db;

/*
 * The connection of r, opened on first use and owned by r.  An absent,
 * damaged or outdated file is replaced by an empty one with our tables:
 * whoever needs its content asks chain_catch_up() to fill it.
 */
int db_of(struct db **out, struct repo *r, struct err *e);

/*
 * Much is to be written with this connection: keep more of the file in memory,
 * up to 64 MiB, and leave it to another one to db_checkpoint, which may wait
 * for the disk while this one goes on.
 */
int db_bulk(struct db *db, struct err *e);
int db_checkpoint(struct db *db, struct err *e);

/*
 * For a process that opens no file beside the ledger's folders from now on:
 * all that the connection needs is opened, and its files stay there when it is
 * closed.
 */
int db_stay(struct db *db, struct err *e);

/*
 * state.db as it is, to read only: nothing is made, replaced or changed.
 * Owned by the caller.  1, 0: there is none of our version, -1.
 */
int db_peek(struct db **out, const struct repo *r, struct err *e);

/*
 * An empty database with the same tables, in an unnamed temporary file: for
 * replaying a ledger without trusting its state.db.  Owned by the caller.
 */
int db_scratch(struct db **out, struct err *e);

/*
 * For much that is written to a scratch database and that nobody takes back:
 * without a journal, of which there would be as much in memory as pages change
 * in one transaction, and without the indexes that only people's queries need.
 * No ROLLBACK until lean is false again; the indexes are gone.
 */
int db_lean(struct db *db, bool lean, struct err *e);

/*
 * A database of our version in a file that no other process opens, or an empty
 * file that db_replace is to fill.  Until a transaction is committed the file
 * stays as it is; while one is committed it must not be killed: there is no
 * journal.  Owned by the caller.  ERR_BAD: it is of another version.
 */
int db_alone(struct db **out, const char *path, struct err *e);

/* Is the file sound, with its indexes?  1, 0, -1. */
int db_sound(struct db *db, struct err *e);

/*
 * Put the content of from, tables and rows, in the place of to's, in one
 * transaction: who has to open sees the one or the other.  ERR_AGAIN: it is
 * busy.
 */
int db_replace(struct db *to, struct db *from, struct err *e);

void db_close(struct db *db);		/* NULL does nothing */

/*
 * A prepared statement, reset and with its bindings cleared, from a cache
 * keyed by the address of sql: a string literal that is used in one place.
 * It stays valid until db_close.
 */
int db_stmt(sqlite3_stmt **out, struct db *db, const char *sql,
    struct err *e);

/* Bind; positions count from 1.  Borrowed until the statement is reset. */
void db_bind_hash(sqlite3_stmt *s, int at, const struct hash *h);
void db_bind_span(sqlite3_stmt *s, int at, struct span text);
void db_bind_int(sqlite3_stmt *s, int at, int64_t v);

/*
 * Step: 1 a row is there, 0 done, -1 error.  Done and errors also reset the
 * statement; after a row, the caller reads the columns and steps on or resets.
 */
int db_step(struct db *db, sqlite3_stmt *s, struct err *e);

/* Run a statement that gives no rows. */
int db_run(struct db *db, sqlite3_stmt *s, struct err *e);

/* How many rows the last statement that was run has changed. */
int db_changes(struct db *db);

/* A column as a hash (-1 when it is not 32 bytes) and as text. */
int db_column_hash(sqlite3_stmt *s, int col, struct hash *out);
struct span db_column_span(sqlite3_stmt *s, int col);

/* "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "SAVEPOINT x"... */
int db_exec(struct db *db, const char *sql, struct err *e);

/* Is a transaction open on this connection?  Then none may be begun. */
bool db_in_transaction(const struct db *db);

/*
 * For many reads: lock the file once, and see one moment in all of them.  Does
 * nothing inside a transaction; *mine tells db_snapshot_end.  Whoever must
 * write meanwhile ends it before (db_snapshot_leave), and what follows is read
 * as it is then.
 */
int db_snapshot(struct db *db, bool *mine, struct err *e);
void db_snapshot_end(struct db *db, bool mine);
void db_snapshot_leave(struct db *db);

/* ERR_SYS (or ERR_AGAIN when it is busy) with what SQLite says. */
int db_error(struct db *db, const char *what, struct err *e);

#endif
