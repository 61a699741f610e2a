#define _GNU_SOURCE
#include "store/db.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

#define CACHE_MAX 128
#define VERSION 7
#define BUSY_MS 30000
#define BUSY_NAP_MS 2

/*
 * SQLite need not count its memory, under a lock: nobody asks.  Called before
 * its first use; a later call does nothing.
 */
static void
configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct cached {
	const char *sql;
	sqlite3_stmt *stmt;
};

struct db {
	sqlite3 *sq;
	bool snapshot;		/* db_snapshot's transaction is open */
	size_t n;
	struct cached cache[CACHE_MAX];
};

/* ehr-state(5) describes these tables. */
static const char schema[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE block(height INTEGER PRIMARY KEY, id BLOB NOT NULL,"
    " time INTEGER NOT NULL, txs INTEGER NOT NULL, size INTEGER NOT NULL,"
    " proposer TEXT NOT NULL);"
    "CREATE TABLE delegate(since INTEGER NOT NULL, seat INTEGER NOT NULL,"
    " name TEXT NOT NULL, sign TEXT NOT NULL,"
    " PRIMARY KEY(since, seat)) WITHOUT ROWID;"
    "CREATE TABLE user(handle TEXT PRIMARY KEY, sign TEXT NOT NULL,"
    " seal TEXT NOT NULL, email BLOB UNIQUE, profile BLOB,"
    " height INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE key(sign TEXT PRIMARY KEY, name TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE role(name TEXT PRIMARY KEY, perms INTEGER NOT NULL,"
    " generation INTEGER NOT NULL DEFAULT 0, seal TEXT, object BLOB,"
    " changes INTEGER NOT NULL DEFAULT 0, sealed INTEGER NOT NULL DEFAULT 0,"
    " left INTEGER NOT NULL DEFAULT 0)"
    " WITHOUT ROWID;"
    "CREATE TABLE member(handle TEXT NOT NULL, role TEXT NOT NULL,"
    " since INTEGER NOT NULL, PRIMARY KEY(handle, role)) WITHOUT ROWID;"
    "CREATE INDEX member_role ON member(role);"
    "CREATE TABLE member_before(handle TEXT NOT NULL, role TEXT NOT NULL,"
    " PRIMARY KEY(handle, role)) WITHOUT ROWID;"
    "CREATE TABLE node(name TEXT PRIMARY KEY, sign TEXT NOT NULL,"
    " seal TEXT NOT NULL, active INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE vote(node TEXT NOT NULL, choice TEXT NOT NULL,"
    " PRIMARY KEY(node, choice)) WITHOUT ROWID;"
    "CREATE TABLE tx(seq INTEGER PRIMARY KEY, id BLOB NOT NULL,"
    " height INTEGER NOT NULL, kind TEXT NOT NULL, time INTEGER NOT NULL,"
    " author TEXT NOT NULL, user TEXT, record BLOB);"
    "CREATE UNIQUE INDEX tx_id ON tx(id);"
    "CREATE INDEX tx_record ON tx(record) WHERE record IS NOT NULL;"
    "CREATE INDEX tx_author ON tx(author, time);"
    "CREATE INDEX tx_rekey ON tx(user) WHERE kind='rekey';"
    "CREATE TABLE record(id BLOB PRIMARY KEY, status INTEGER NOT NULL,"
    " patient TEXT NOT NULL, author TEXT NOT NULL, label TEXT NOT NULL,"
    " time INTEGER NOT NULL, body BLOB, body_size INTEGER NOT NULL,"
    " header BLOB, height INTEGER NOT NULL, seq INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX record_patient ON record(patient, time);"
    "CREATE INDEX record_author ON record(author, time);"
    "CREATE INDEX record_time ON record(time);"
    "CREATE TABLE reader(record BLOB NOT NULL, reader TEXT NOT NULL,"
    " PRIMARY KEY(record, reader)) WITHOUT ROWID;"
    "CREATE TABLE reader_before(record BLOB NOT NULL, reader TEXT NOT NULL,"
    " PRIMARY KEY(record, reader)) WITHOUT ROWID;"
    "CREATE TABLE named(object BLOB PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE want(object BLOB PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE dismissed(object BLOB PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE pending_file(file INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE pending(file INTEGER NOT NULL, at INTEGER NOT NULL,"
    " size INTEGER NOT NULL, id BLOB NOT NULL, system INTEGER NOT NULL,"
    " doubt INTEGER NOT NULL, whole INTEGER NOT NULL, record BLOB,"
    " PRIMARY KEY(file, at)) WITHOUT ROWID;"
    "CREATE INDEX pending_id ON pending(id);"
    "CREATE INDEX pending_record ON pending(record)"
    " WHERE record IS NOT NULL;"
    "CREATE INDEX pending_system ON pending(file, at) WHERE system=1;"
    "CREATE INDEX pending_doubt ON pending(doubt) WHERE doubt>0;"
    "CREATE TABLE segment(name TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE segment_object(id BLOB NOT NULL, segment TEXT NOT NULL,"
    " at INTEGER NOT NULL, size INTEGER NOT NULL,"
    " PRIMARY KEY(id, segment, at)) WITHOUT ROWID;";

int
db_error(struct db *db, const char *what, struct err *e)
{
	int code = sqlite3_errcode(db->sq);

	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return err_set(e, ERR_AGAIN, "state.db: busy (%s)", what);
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return err_set(e, ERR_SYS, "state.db: damaged; remove it, it "
		    "is made again from the blocks (%s)", what);
	return err_set(e, ERR_SYS, "state.db: %s: %s", what,
	    sqlite3_errmsg(db->sq));
}

int
db_exec(struct db *db, const char *sql, struct err *e)
{
	if (sqlite3_exec(db->sq, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return db_error(db, sql, e);
}

bool
db_in_transaction(const struct db *db)
{
	return sqlite3_get_autocommit(db->sq) == 0;
}

int
db_snapshot(struct db *db, bool *mine, struct err *e)
{
	*mine = !db_in_transaction(db);
	if (*mine && db_exec(db, "BEGIN", e) != 0)
		return -1;
	db->snapshot = db->snapshot || *mine;
	return 0;
}

void
db_snapshot_leave(struct db *db)
{
	struct err ignored;

	if (db->snapshot && db_in_transaction(db))
		db_exec(db, "COMMIT", &ignored);
	db->snapshot = false;
}

void
db_snapshot_end(struct db *db, bool mine)
{
	if (mine)
		db_snapshot_leave(db);
}

static int
user_version(sqlite3 *sq)
{
	sqlite3_stmt *s;
	int v = -1;

	if (sqlite3_prepare_v2(sq, "PRAGMA user_version", -1, &s, NULL) ==
	    SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		v = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return v;
}

/*
 * For SQLite, which is refused a lock: 0 when that was long enough.  Its own
 * way doubles its naps, up to 100 ms, in which a block could be made.
 */
static int
wait_a_while(void *unused, int times)
{
	(void)unused;
	sqlite3_sleep(BUSY_NAP_MS);
	return times < BUSY_MS / BUSY_NAP_MS;
}

/*
 * Open path: 1 done, 0 it is not there, damaged, or not of our version, -1 the
 * system refused.
 */
static int
open_ours(struct db **out, const char *path, struct err *e)
{
	struct db *db = calloc(1, sizeof(*db));
	int version = -1, code;

	if (db == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (sqlite3_open_v2(path, &db->sq, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
	    sqlite3_busy_handler(db->sq, wait_a_while, NULL) == SQLITE_OK &&
	    db_exec(db, "PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; "
	    "PRAGMA cache_size=-8000; PRAGMA wal_autocheckpoint=4000",
	    e) == 0)
		version = user_version(db->sq);
	if (version == VERSION) {
		*out = db;
		return 1;
	}
	code = sqlite3_errcode(db->sq);
	db_error(db, "opening", e);
	db_close(db);
	return version >= 0 || code == SQLITE_NOTADB ||
	    code == SQLITE_CORRUPT || access(path, F_OK) != 0 ? 0 : -1;
}

/*
 * The file can always be made again from the blocks, so that it need not
 * survive a power cut; it must only never be wrong, and WAL with NORMAL keeps
 * it consistent.  The file remembers WAL.
 */
static int
make_tables(const char *path, struct err *e)
{
	struct db db = { .sq = NULL };
	char version[64];
	int r = -1;

	snprintf(version, sizeof(version), "PRAGMA user_version=%d", VERSION);
	if (sqlite3_open_v2(path, &db.sq, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		db_error(&db, "making", e);
	else if (db_exec(&db, "PRAGMA journal_mode=WAL; BEGIN", e) == 0 &&
	    db_exec(&db, schema, e) == 0 && db_exec(&db, version, e) == 0)
		r = db_exec(&db, "COMMIT", e);
	sqlite3_close(db.sq);
	return r;
}

/* Put an empty database in the place of what is there, if anything. */
static int
make_file(const struct repo *r, struct err *e)
{
	char path[FS_NAME_MAX + 256];
	struct fs_temp t;

	if (fs_temp_open(&t, r->dirfd, "tmp", 0600, e) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/%.255s", r->path, t.name);
	if (make_tables(path, e) != 0) {
		fs_temp_abort(&t);
		return -1;
	}
	/* They would be taken for parts of the new file. */
	unlinkat(r->dirfd, "state.db-wal", 0);
	unlinkat(r->dirfd, "state.db-shm", 0);
	return fs_temp_commit(&t, "state.db", false, e);
}

int
db_of(struct db **out, struct repo *r, struct err *e)
{
	char path[FS_NAME_MAX + 16];
	int lock, got;

	if (r->db != NULL) {
		*out = r->db;
		return 0;
	}
	configure();
	snprintf(path, sizeof(path), "%s/state.db", r->path);
	if ((got = open_ours(&r->db, path, e)) != 1) {
		/* Two who make it at once would make two; and another may have
		 * made it between the look at it and the look for it. */
		lock = fs_lock(r->dirfd, "state.lock", BUSY_MS, e);
		if (lock < 0)
			return -1;
		got = open_ours(&r->db, path, e);
		if (got == 0 && (got = make_file(r, e)) == 0)
			got = open_ours(&r->db, path, e);
		close(lock);
	}
	if (got <= 0)
		return -1;
	r->db_close = db_close;
	*out = r->db;
	return 0;
}

int
db_bulk(struct db *db, struct err *e)
{
	return db_exec(db, "PRAGMA cache_size=-65536; "
	    "PRAGMA wal_autocheckpoint=0", e);
}

int
db_checkpoint(struct db *db, struct err *e)
{
	return db_exec(db, "PRAGMA wal_checkpoint(PASSIVE)", e);
}

int
db_stay(struct db *db, struct err *e)
{
	unsigned char seed;
	int yes = 1;

	/* SQLite reads /dev/urandom once. */
	sqlite3_randomness(sizeof(seed), &seed);
	if (sqlite3_file_control(db->sq, "main", SQLITE_FCNTL_PERSIST_WAL,
	    &yes) != SQLITE_OK)
		return db_error(db, "keeping its files", e);
	/* It is emptied, then; and reading opens what reading needs. */
	return db_exec(db, "PRAGMA journal_size_limit=0;"
	    " SELECT value FROM meta LIMIT 1", e);
}

/* "file:PATH?immutable=1", of which SQLite needs no files beside it. */
static void
immutable_name(char *out, size_t size, const char *path)
{
	size_t n = (size_t)snprintf(out, size, "file:");

	for (; *path != '\0' && n + 32 < size; path++)
		n += (size_t)snprintf(out + n, size - n,
		    strchr("%?#", *path) == NULL ? "%c" : "%%%02x",
		    (unsigned char)*path);
	snprintf(out + n, size - n, "?immutable=1");
}

/* 1, 0 not of our version, -1. */
static int
peek(struct db **out, const char *name, int flags, struct err *e)
{
	struct db *db = calloc(1, sizeof(*db));
	int version = -1;

	if (db == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (sqlite3_open_v2(name, &db->sq, SQLITE_OPEN_READONLY |
	    SQLITE_OPEN_NOMUTEX | flags, NULL) == SQLITE_OK &&
	    sqlite3_busy_timeout(db->sq, BUSY_MS) == SQLITE_OK)
		version = user_version(db->sq);
	if (version == VERSION) {
		*out = db;
		return 1;
	}
	db_error(db, "opening", e);
	db_close(db);
	return version >= 0 ? 0 : -1;
}

int
db_peek(struct db **out, const struct repo *r, struct err *e)
{
	char path[FS_NAME_MAX + 16], name[3 * FS_NAME_MAX + 64];
	int got = -1;

	snprintf(path, sizeof(path), "%s/state.db", r->path);
	if (access(path, F_OK) != 0)
		return 0;
	/* Where it is not in use, to open it otherwise would leave files. */
	if (faccessat(r->dirfd, "state.db-wal", F_OK, 0) == 0)
		got = peek(out, path, 0, e);
	if (got >= 0)
		return got;
	immutable_name(name, sizeof(name), path);
	return peek(out, name, SQLITE_OPEN_URI, e);
}

/* One that only we open, with no files beside it. */
static int
open_alone(struct db **out, const char *path, const char *settings,
    struct err *e)
{
	struct db *db = calloc(1, sizeof(*db));

	if (db == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	configure();
	if (sqlite3_open_v2(path, &db->sq, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
	    db_exec(db, "PRAGMA journal_mode=MEMORY", e) != 0 ||
	    db_exec(db, settings, e) != 0) {
		if (db->sq == NULL)
			err_set(e, ERR_SYS, "state: out of memory");
		db_close(db);
		return -1;
	}
	*out = db;
	return 0;
}

int
db_scratch(struct db **out, struct err *e)
{
	char version[64];

	snprintf(version, sizeof(version), "PRAGMA user_version=%d", VERSION);
	/* SQLite keeps "" in memory until it grows, then in a file. */
	if (open_alone(out, "", "PRAGMA synchronous=OFF", e) != 0)
		return -1;
	if (db_exec(*out, schema, e) == 0 && db_exec(*out, version, e) == 0)
		return 0;
	db_close(*out);
	return -1;
}

int
db_alone(struct db **out, const char *path, struct err *e)
{
	int version;

	if (open_alone(out, path, "PRAGMA synchronous=FULL; "
	    "PRAGMA cache_spill=OFF; PRAGMA cache_size=-8000", e) != 0)
		return -1;
	version = user_version((*out)->sq);
	if (version == VERSION || version == 0)
		return 0;
	db_close(*out);
	return err_set(e, ERR_BAD, "%s: is not of this version", path);
}

int
db_lean(struct db *db, bool lean, struct err *e)
{
	return db_exec(db, lean ? "PRAGMA journal_mode=OFF; "
	    "PRAGMA cache_size=-20000; DROP INDEX IF EXISTS tx_record; "
	    "DROP INDEX IF EXISTS tx_author; "
	    "DROP INDEX IF EXISTS record_patient; "
	    "DROP INDEX IF EXISTS record_author; "
	    "DROP INDEX IF EXISTS record_time" :
	    "PRAGMA journal_mode=MEMORY", e);
}

int
db_sound(struct db *db, struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (db_stmt(&s, db, "PRAGMA integrity_check(1)", e) != 0)
		return sqlite3_errcode(db->sq) == SQLITE_CORRUPT ? 0 : -1;
	ret = sqlite3_step(s);
	if (ret == SQLITE_ROW)
		ret = span_is(db_column_span(s, 0), "ok");
	else if (ret == SQLITE_CORRUPT || ret == SQLITE_NOTADB)
		ret = 0;
	else
		ret = db_error(db, "integrity_check", e);
	sqlite3_reset(s);
	return ret;
}

int
db_replace(struct db *to, struct db *from, struct err *e)
{
	sqlite3_backup *b = sqlite3_backup_init(to->sq, "main", from->sq,
	    "main");
	int64_t until_ms = clock_mono_ms() + BUSY_MS;
	int code;

	if (b == NULL)
		return db_error(to, "replacing", e);
	/* It does not wait for readers and writers itself. */
	while (((code = sqlite3_backup_step(b, -1)) == SQLITE_BUSY ||
	    code == SQLITE_LOCKED) && clock_mono_ms() < until_ms)
		sqlite3_sleep(50);
	if (sqlite3_backup_finish(b) == SQLITE_OK && code == SQLITE_DONE)
		return 0;
	return db_error(to, "replacing", e);
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	for (size_t i = 0; i < db->n; i++)
		sqlite3_finalize(db->cache[i].stmt);
	sqlite3_close(db->sq);
	free(db);
}

int
db_stmt(sqlite3_stmt **out, struct db *db, const char *sql, struct err *e)
{
	for (size_t i = 0; i < db->n; i++)
		if (db->cache[i].sql == sql) {
			*out = db->cache[i].stmt;
			sqlite3_reset(*out);
			sqlite3_clear_bindings(*out);
			return 0;
		}
	if (db->n == CACHE_MAX)
		return err_set(e, ERR_SYS, "state.db: too many statements");
	if (sqlite3_prepare_v3(db->sq, sql, -1, SQLITE_PREPARE_PERSISTENT, out,
	    NULL) != SQLITE_OK)
		return db_error(db, sql, e);
	db->cache[db->n++] = (struct cached){ sql, *out };
	return 0;
}

void
db_bind_hash(sqlite3_stmt *s, int at, const struct hash *h)
{
	sqlite3_bind_blob(s, at, h->b, HASH_LEN, SQLITE_STATIC);
}

void
db_bind_span(sqlite3_stmt *s, int at, struct span text)
{
	sqlite3_bind_text(s, at, (const char *)text.p, (int)text.n,
	    SQLITE_STATIC);
}

void
db_bind_int(sqlite3_stmt *s, int at, int64_t v)
{
	sqlite3_bind_int64(s, at, v);
}

int
db_step(struct db *db, sqlite3_stmt *s, struct err *e)
{
	int r = sqlite3_step(s);

	if (r == SQLITE_ROW)
		return 1;
	if (r == SQLITE_DONE) {
		sqlite3_reset(s);
		return 0;
	}
	db_error(db, sqlite3_sql(s), e);
	sqlite3_reset(s);
	return -1;
}

int
db_run(struct db *db, sqlite3_stmt *s, struct err *e)
{
	int r = db_step(db, s, e);

	if (r > 0)
		sqlite3_reset(s);
	return r < 0 ? -1 : 0;
}

int
db_changes(struct db *db)
{
	return sqlite3_changes(db->sq);
}

int
db_column_hash(sqlite3_stmt *s, int col, struct hash *out)
{
	if (sqlite3_column_bytes(s, col) != HASH_LEN)
		return -1;
	memcpy(out->b, sqlite3_column_blob(s, col), HASH_LEN);
	return 0;
}

struct span
db_column_span(sqlite3_stmt *s, int col)
{
	const unsigned char *p = sqlite3_column_text(s, col);

	return span_of(p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(s, col));
}
