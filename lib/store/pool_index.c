#include "store/pool_index.h"

#include <stdio.h>

#include "ledger/tx_note.h"
#include "store/settle.h"

/* --- rows ----------------------------------------------------------------- */

void
pool_index_describe(struct pool_row *row, const struct tx *tx)
{
	row->id = tx->id;
	row->system = !tx_names_record(tx->kind);
	row->record = tx->record;
}

static int
add_row(struct db *db, int64_t file, const struct pool_row *row,
    struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "INSERT OR REPLACE INTO pending(file, at, size, "
	    "id, system, doubt, whole, record) "
	    "VALUES(?, ?, ?, ?, ?, ?, ?, ?)", e) != 0)
		return -1;
	db_bind_int(s, 1, file);
	db_bind_int(s, 2, (int64_t)row->at);
	db_bind_int(s, 3, (int64_t)row->size);
	db_bind_hash(s, 4, &row->id);
	db_bind_int(s, 5, row->system);
	db_bind_int(s, 6, row->doubt);
	db_bind_int(s, 7, row->whole);
	if (!row->system)
		db_bind_hash(s, 8, &row->record);
	return db_run(db, s, e);
}

/* The number of a segment: 1, 0 it has none, -1. */
static int
file_of(int64_t *file, struct db *db, const char *segment, struct err *e)
{
	sqlite3_stmt *s;
	int got;

	if (db_stmt(&s, db, "SELECT file FROM pending_file WHERE name=?",
	    e) != 0)
		return -1;
	db_bind_span(s, 1, span_str(segment));
	if ((got = db_step(db, s, e)) != 1)
		return got;
	*file = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 1;
}

/* Give a segment a number: 1 done, 0 it has one, -1. */
static int
add_file(int64_t *file, struct db *db, const char *segment, struct err *e)
{
	sqlite3_stmt *s;
	int got = file_of(file, db, segment, e);

	if (got != 0)
		return got < 0 ? -1 : 0;
	if (db_stmt(&s, db, "INSERT INTO pending_file(name) VALUES(?)",
	    e) != 0)
		return -1;
	db_bind_span(s, 1, span_str(segment));
	if (db_run(db, s, e) != 0)
		return -1;
	return file_of(file, db, segment, e);
}

static int
begin(struct db **db, struct repo *r, struct err *e)
{
	if (db_of(db, r, e) != 0)
		return -1;
	return db_exec(*db, "BEGIN IMMEDIATE", e);
}

static int
end(struct db *db, int ret, struct err *e)
{
	struct err ignored;

	if (ret == 0 && (ret = db_exec(db, "COMMIT", e)) == 0)
		return 0;
	if (db_in_transaction(db))
		db_exec(db, "ROLLBACK", &ignored);
	return ret;
}

/* What comes may help what was refused. */
static int
ask_again(struct db *db, struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "UPDATE pending SET doubt=1 WHERE doubt=2 AND "
	    "doubt>0", e) != 0)
		return -1;
	return db_run(db, s, e);
}

int
pool_index_add(struct db *db, const char *segment,
    const struct pool_row *row, size_t n, struct err *e)
{
	int64_t file;
	int got;

	/* Another process may have seen and read it already. */
	got = add_file(&file, db, segment, e);
	for (size_t i = 0; i < n && got == 1; i++)
		got = add_row(db, file, &row[i], e) == 0 ? 1 : -1;
	if (got == 1)
		got = ask_again(db, e);
	return got < 0 ? -1 : 0;
}

/* --- segments that are new, and gone -------------------------------------- */

struct scanning {
	const struct repo *repo;
	struct db *db;
	int64_t file;
};

static int
scan_item(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct scanning *sc = arg;
	struct pool_row row = { .at = at, .size = data.n, .id = *id,
	    .system = true, .doubt = POOL_DOUBT };
	struct tx tx;
	int got = settle_tx(sc->db, id, e);

	if (got != 0)
		return got < 0 ? -1 : 0;
	/* What cannot be parsed waits, too, until it is given up. */
	if (tx_parse(&tx, data, repo_ledger(sc->repo), e) == 0) {
		pool_index_describe(&row, &tx);
		tx_free(&tx);
	}
	return add_row(sc->db, sc->file, &row, e);
}

static int
forget_file(struct db *db, int64_t file, struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "DELETE FROM pending WHERE file=?", e) != 0)
		return -1;
	db_bind_int(s, 1, file);
	if (db_run(db, s, e) != 0)
		return -1;
	/* Others may have stood on what it held. */
	if (db_changes(db) > 0 &&
	    db_exec(db, "UPDATE pending SET doubt=1", e) != 0)
		return -1;
	if (db_stmt(&s, db,
	    "DELETE FROM pending_file WHERE file=?", e) != 0)
		return -1;
	db_bind_int(s, 1, file);
	return db_run(db, s, e);
}

static int
read_file(struct repo *r, struct db *db, const char *segment, struct err *e)
{
	struct scanning sc = { .repo = r, .db = db };
	char path[FS_NAME_MAX];
	int got = add_file(&sc.file, db, segment, e);

	if (got != 1)
		return got;
	snprintf(path, sizeof(path), POOL_DIR "/%s", segment);
	got = segment_scan(r->dirfd, path, "pending", true, scan_item, &sc,
	    e);
	if (got == 0 || (e->kind != ERR_BAD && e->kind != ERR_NO))
		return got;
	/* Damaged; or settled and removed by another process. */
	if (e->kind == ERR_BAD && settle_quarantine(r, path, e) != 0)
		return -1;
	return forget_file(db, sc.file, e);
}

static bool
is_listed(const struct fs_names *l, const char *name)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(name, l->name[mid]);

		if (c == 0)
			return true;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

/*
 * One that has a number but is not in the list: 1 and its number, 0, -1.
 * *known counts those that have both.
 */
static int
find_gone(int64_t *file, size_t *known, struct db *db,
    const struct fs_names *l, struct err *e)
{
	char name[SEGMENT_NAME_LEN];
	sqlite3_stmt *s;
	int got;

	*known = 0;
	if (db_stmt(&s, db, "SELECT file, name FROM pending_file", e) != 0)
		return -1;
	while ((got = db_step(db, s, e)) == 1) {
		struct span n = db_column_span(s, 1);

		snprintf(name, sizeof(name), "%.*s", SPAN_FMT(n));
		if (!is_listed(l, name)) {
			*file = sqlite3_column_int64(s, 0);
			sqlite3_reset(s);
			return 1;
		}
		++*known;
	}
	return got;
}

static int
update_files(struct repo *r, struct db *db, const struct fs_names *l,
    struct err *e)
{
	size_t known;
	int64_t file;
	int got;

	while ((got = find_gone(&file, &known, db, l, e)) == 1)
		if (forget_file(db, file, e) != 0)
			return -1;
	for (size_t i = 0; i < l->n && got == 0; i++)
		got = read_file(r, db, l->name[i], e);
	return got;
}

/* --- blocks --------------------------------------------------------------- */

/* A number in the table meta; 0 when it is not there. */
static int
get_meta(uint64_t *n, struct db *db, const char *key, struct err *e)
{
	sqlite3_stmt *s;
	int got;

	*n = 0;
	if (db_stmt(&s, db, "SELECT value FROM meta WHERE key=?", e) != 0)
		return -1;
	db_bind_span(s, 1, span_str(key));
	if ((got = db_step(db, s, e)) != 1)
		return got;
	*n = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 0;
}

static int
run_from(struct db *db, const char *sql, uint64_t seq, struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, sql, e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)seq);
	return db_run(db, s, e);
}

/*
 * Take into account the transactions on the ledger from number `from` on, up
 * to `size`: they wait no more; and those that do and speak of the same record
 * may be refused now.  After a change of users, roles or nodes anything may.
 */
static int
update_settled(struct db *db, uint64_t from, uint64_t size, struct err *e)
{
	if (run_from(db, "DELETE FROM pending WHERE id IN "
	    "(SELECT id FROM tx WHERE seq>=?)", from, e) != 0 ||
	    run_from(db, "UPDATE pending SET doubt=1 WHERE record IN "
	    "(SELECT record FROM tx WHERE seq>=? AND record IS NOT NULL)",
	    from, e) != 0 ||
	    run_from(db, "UPDATE pending SET doubt=1 WHERE EXISTS "
	    "(SELECT 1 FROM tx WHERE seq>=? AND record IS NULL)",
	    from, e) != 0)
		return -1;
	return run_from(db, "INSERT INTO meta(key, value) "
	    "VALUES('pending', ?1) ON CONFLICT(key) DO UPDATE SET value=?1",
	    size, e);
}

/*
 * With the database locked, so that no segment comes with its rows between the
 * two looks at folder and table.
 */
static int
refresh_locked(struct repo *r, struct db *db, struct err *e)
{
	uint64_t size, seen;
	struct fs_names l;
	int got;

	if (get_meta(&size, db, "size", e) != 0 ||
	    get_meta(&seen, db, "pending", e) != 0 ||
	    (size != seen && update_settled(db, seen < size ? seen : 0, size,
	    e) != 0) || fs_list(&l, r->dirfd, POOL_DIR, e) != 0)
		return -1;
	got = update_files(r, db, &l, e);
	fs_names_free(&l);
	return got != 0 ? -1 : ask_again(db, e);
}

/* Are tables, folder and head as they were?  1, 0, -1. */
static int
is_fresh(struct repo *r, struct db *db, struct err *e)
{
	uint64_t size, seen;
	struct fs_names l;
	size_t known;
	int64_t gone;
	int got;

	if (get_meta(&size, db, "size", e) != 0 ||
	    get_meta(&seen, db, "pending", e) != 0 ||
	    fs_list(&l, r->dirfd, POOL_DIR, e) != 0)
		return -1;
	got = find_gone(&gone, &known, db, &l, e);
	got = got < 0 ? -1 : got == 0 && known == l.n && size == seen;
	fs_names_free(&l);
	return got;
}

int
pool_index_refresh(struct repo *r, struct err *e)
{
	struct db *db;
	int got;

	if (db_of(&db, r, e) != 0 || (got = is_fresh(r, db, e)) < 0)
		return -1;
	if (got == 1)
		return 0;
	if (begin(&db, r, e) != 0)
		return -1;
	return end(db, refresh_locked(r, db, e), e);
}

/* --- looking -------------------------------------------------------------- */

#define COLUMNS "p.file, at, size, id, system, doubt, record, name, whole " \
    "FROM pending AS p JOIN pending_file AS f ON f.file=p.file"

static int
take_row(struct pool_row *row, sqlite3_stmt *s, struct err *e)
{
	struct span name = db_column_span(s, 7);

	memset(row, 0, sizeof(*row));
	row->file = sqlite3_column_int64(s, 0);
	row->at = (uint64_t)sqlite3_column_int64(s, 1);
	row->size = (size_t)sqlite3_column_int64(s, 2);
	row->system = sqlite3_column_int(s, 4) != 0;
	row->doubt = (enum pool_doubt)sqlite3_column_int(s, 5);
	row->whole = sqlite3_column_int(s, 8) != 0;
	if (db_column_hash(s, 3, &row->id) == 0 && (row->system ||
	    db_column_hash(s, 6, &row->record) == 0) &&
	    row->size <= TX_MAX && name.n > 0 &&
	    name.n < sizeof(row->segment) &&
	    memchr(name.p, '/', name.n) == NULL) {
		memcpy(row->segment, name.p, name.n);
		return 0;
	}
	return err_set(e, ERR_BAD, "state.db: not the place of a transaction; "
	    "delete state.db, it will be made again");
}

int
pool_index_page(struct pool_row *out, size_t max, size_t *n,
    struct db *db, const struct pool_row *after, bool system,
    const struct hash *record, struct err *e)
{
	sqlite3_stmt *s;
	int got;

	*n = 0;
	got = record != NULL ? db_stmt(&s, db, "SELECT " COLUMNS " WHERE "
	    "(p.file, at)>(?1, ?2) AND record=?4 ORDER BY p.file, at "
	    "LIMIT ?3", e) :
	    system ? db_stmt(&s, db, "SELECT " COLUMNS " WHERE "
	    "(p.file, at)>(?1, ?2) AND system=1 ORDER BY p.file, at "
	    "LIMIT ?3", e) :
	    db_stmt(&s, db, "SELECT " COLUMNS " WHERE (p.file, at)>(?1, ?2) "
	    "ORDER BY p.file, at LIMIT ?3", e);
	if (got != 0)
		return -1;
	db_bind_int(s, 1, after == NULL ? -1 : after->file);
	db_bind_int(s, 2, after == NULL ? -1 : (int64_t)after->at);
	db_bind_int(s, 3, (int64_t)max);
	if (record != NULL)
		db_bind_hash(s, 4, record);
	while ((got = db_step(db, s, e)) == 1)
		if (take_row(&out[(*n)++], s, e) != 0) {
			sqlite3_reset(s);
			return -1;
		}
	return got;
}

int
pool_index_find(struct pool_row *row, struct db *db, const struct hash *id,
    struct err *e)
{
	sqlite3_stmt *s;
	int got;

	if (db_stmt(&s, db, "SELECT " COLUMNS " WHERE id=? LIMIT 1", e) != 0)
		return -1;
	db_bind_hash(s, 1, id);
	if ((got = db_step(db, s, e)) != 1)
		return got;
	got = take_row(row, s, e) == 0 ? 1 : -1;
	sqlite3_reset(s);
	return got;
}

int
pool_index_count(size_t *n, struct db *db, struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "SELECT count(*) FROM pending", e) != 0 ||
	    db_step(db, s, e) != 1)
		return -1;
	*n = (size_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 0;
}

int
pool_index_doubts(struct db *db, struct err *e)
{
	sqlite3_stmt *s;
	int got;

	if (db_stmt(&s, db, "SELECT 1 FROM pending WHERE doubt=1 AND doubt>0 "
	    "LIMIT 1", e) != 0)
		return -1;
	if ((got = db_step(db, s, e)) == 1)
		sqlite3_reset(s);
	return got;
}

int
pool_index_judge(struct repo *r, const struct pool_row *row, size_t n,
    struct err *e)
{
	sqlite3_stmt *s;
	struct db *db;
	int ret = 0;

	if (n == 0)
		return 0;
	if (begin(&db, r, e) != 0)
		return -1;
	for (size_t i = 0; i < n && ret == 0; i++) {
		ret = db_stmt(&s, db, "UPDATE pending SET doubt=?, whole=? "
		    "WHERE file=? AND at=?", e);
		if (ret != 0)
			break;
		db_bind_int(s, 1, row[i].doubt);
		db_bind_int(s, 2, row[i].whole);
		db_bind_int(s, 3, row[i].file);
		db_bind_int(s, 4, (int64_t)row[i].at);
		ret = db_run(db, s, e);
	}
	return end(db, ret, e);
}

/* --- after a block -------------------------------------------------------- */

/* A segment of which nothing waits: 1 and its name, 0, -1. */
static int
find_empty(char name[SEGMENT_NAME_LEN], struct db *db, int64_t *after,
    struct err *e)
{
	sqlite3_stmt *s;
	int got;

	if (db_stmt(&s, db, "SELECT file, name FROM pending_file AS f WHERE "
	    "file>? AND NOT EXISTS(SELECT 1 FROM pending WHERE file=f.file) "
	    "ORDER BY file LIMIT 1", e) != 0)
		return -1;
	db_bind_int(s, 1, *after);
	if ((got = db_step(db, s, e)) != 1)
		return got;
	*after = sqlite3_column_int64(s, 0);
	snprintf(name, SEGMENT_NAME_LEN, "%.*s",
	    SPAN_FMT(db_column_span(s, 1)));
	sqlite3_reset(s);
	return 1;
}

int
pool_index_tidy(struct repo *r, struct err *e)
{
	char name[SEGMENT_NAME_LEN], path[FS_NAME_MAX];
	int64_t after = -1;
	struct db *db;
	int got;

	if (pool_index_refresh(r, e) != 0 || db_of(&db, r, e) != 0)
		return -1;
	while ((got = find_empty(name, db, &after, e)) == 1) {
		snprintf(path, sizeof(path), POOL_DIR "/%s", name);
		if (fs_remove(r->dirfd, path, e) != 0)
			return -1;
	}
	return got;
}
