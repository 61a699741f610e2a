#define _GNU_SOURCE
#include "store/object_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "store/db.h"

/*
 * A folder that changed so recently may change again without another time
 * stamp: kernels stamp with their tick, old file systems with seconds.
 */
#define TICK_NS 100000000LL
#define SECONDS_NS 2100000000LL

/* Begin a transaction unless the caller has one; *mine says which. */
static int
begin(struct db *db, bool *mine, struct err *e)
{
	db_snapshot_leave(db);
	*mine = !db_in_transaction(db);
	return *mine ? db_exec(db, "BEGIN IMMEDIATE", e) : 0;
}

static int
end(struct db *db, bool mine, int r, struct err *e)
{
	struct err other;

	if (!mine)
		return r;
	if (r == 0 && (r = db_exec(db, "COMMIT", e)) == 0)
		return 0;
	if (db_in_transaction(db))
		db_exec(db, "ROLLBACK", &other);
	return r;
}

static int
add_row(struct db *db, const char *segment, const struct object_item *item,
    struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "INSERT OR IGNORE INTO segment_object"
	    "(id, segment, at, size) VALUES(?1, ?2, ?3, ?4)", e) != 0)
		return -1;
	db_bind_hash(s, 1, &item->id);
	db_bind_span(s, 2, span_str(segment));
	db_bind_int(s, 3, (int64_t)item->at);
	db_bind_int(s, 4, (int64_t)item->size);
	return db_run(db, s, e);
}

/* Last of all: now the segment need not be read again. */
static int
add_segment(struct db *db, const char *segment, struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "INSERT OR IGNORE INTO segment(name) VALUES(?1)",
	    e) != 0)
		return -1;
	db_bind_span(s, 1, span_str(segment));
	return db_run(db, s, e);
}

int
object_index_add(struct repo *r, const char *segment,
    const struct object_item *item, size_t n, struct err *e)
{
	struct db *db;
	bool mine;
	int got = 0;

	if (db_of(&db, r, e) != 0 || begin(db, &mine, e) != 0)
		return -1;
	for (size_t i = 0; i < n && got == 0; i++)
		got = add_row(db, segment, &item[i], e);
	if (got == 0)
		got = add_segment(db, segment, e);
	return end(db, mine, got, e);
}

struct scanned {
	struct db *db;
	const char *segment;
};

static int
scanned_item(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct scanned *s = arg;
	struct object_item item = { *id, at, data.n };

	return add_row(s->db, s->segment, &item, e);
}

static int
scan_segment(struct repo *r, struct db *db, const char *segment,
    struct err *e)
{
	struct scanned s = { db, segment };
	char path[FS_NAME_MAX];
	bool mine;
	int got;

	snprintf(path, sizeof(path), OBJECT_SEG_DIR "/%s", segment);
	if (begin(db, &mine, e) != 0)
		return -1;
	got = segment_scan(r->dirfd, path, OBJECT_SEG_KIND, false,
	    scanned_item, &s, e);
	/* What damage hides is missing, and will be fetched or reported. */
	if (got != 0 && e->kind == ERR_BAD)
		got = 0;
	if (got == 0)
		got = add_segment(db, segment, e);
	return end(db, mine, got, e);
}

/* Is this the name of a segment that is not in the table?  1, 0 or -1. */
static int
is_new(struct db *db, const char *name, struct err *e)
{
	size_t n = strlen(name);
	sqlite3_stmt *s;
	int got;

	if (n < 4 || n >= SEGMENT_NAME_LEN || strcmp(name + n - 4, ".seg") != 0)
		return 0;
	if (db_stmt(&s, db, "SELECT 1 FROM segment WHERE name = ?1", e) != 0)
		return -1;
	db_bind_span(s, 1, span_str(name));
	if ((got = db_step(db, s, e)) > 0)
		sqlite3_reset(s);
	return got < 0 ? -1 : got == 0;
}

static int
add_new(struct repo *r, const struct fs_names *l, bool *added, struct err *e)
{
	struct db *db;
	int got;

	if (db_of(&db, r, e) != 0)
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		if ((got = is_new(db, l->name[i], e)) < 0)
			return -1;
		if (got == 0)
			continue;
		/* Its writer may not have come to this yet. */
		if (!*added && fs_sync_dir(r->dirfd, OBJECT_SEG_DIR, e) != 0)
			return -1;
		*added = true;
		if (scan_segment(r, db, l->name[i], e) != 0 &&
		    e->kind != ERR_NO)
			return -1;
	}
	return 0;
}

int
object_index_refresh(struct repo *r, bool *added, struct err *e)
{
	struct fs_names l;
	int64_t changed, age;
	struct stat st;
	int got;

	*added = false;
	if (fstatat(r->dirfd, OBJECT_SEG_DIR, &st, 0) != 0)
		return errno == ENOENT ? 0 :
		    err_sys(e, "%s/" OBJECT_SEG_DIR, r->path);
	changed = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	if (r->db != NULL && changed == r->seg_seen_ns)
		return 0;
	age = clock_now_ms() * 1000000 - changed;
	if (fs_list(&l, r->dirfd, OBJECT_SEG_DIR, e) != 0)
		return -1;
	got = add_new(r, &l, added, e);
	fs_names_free(&l);
	if (got == 0)
		r->seg_seen_ns = age > (st.st_mtim.tv_nsec == 0 ? SECONDS_NS :
		    TICK_NS) ? changed : 0;
	return got;
}

int
object_index_next(struct object_row *row, struct repo *r,
    const struct hash *id, struct err *e)
{
	struct span name;
	struct db *db;
	sqlite3_stmt *s;
	int got;

	if (db_of(&db, r, e) != 0 || db_stmt(&s, db, "SELECT segment, at, size"
	    " FROM segment_object WHERE id = ?1 AND (segment, at) > (?2, ?3)"
	    " ORDER BY segment, at LIMIT 1", e) != 0)
		return -1;
	db_bind_hash(s, 1, id);
	db_bind_span(s, 2, span_str(row->segment));
	db_bind_int(s, 3, (int64_t)row->at);
	if ((got = db_step(db, s, e)) <= 0)
		return got;
	name = db_column_span(s, 0);
	if (name.n < sizeof(row->segment) && memchr(name.p, '/', name.n) ==
	    NULL) {
		memcpy(row->segment, name.p, name.n);
		row->segment[name.n] = '\0';
		row->at = (uint64_t)sqlite3_column_int64(s, 1);
		row->size = (uint64_t)sqlite3_column_int64(s, 2);
	} else
		got = err_set(e, ERR_BAD, "state.db: not the name of a "
		    "segment; delete state.db, it will be made again");
	sqlite3_reset(s);
	return got;
}

int
object_index_ids(struct hash *out, size_t max, size_t *n, struct repo *r,
    const struct hash *after, struct err *e)
{
	struct db *db;
	sqlite3_stmt *s;
	int got;

	*n = 0;
	if (db_of(&db, r, e) != 0 || db_stmt(&s, db, "SELECT DISTINCT id FROM"
	    " segment_object WHERE id > ?1 ORDER BY id LIMIT ?2", e) != 0)
		return -1;
	if (after == NULL)
		sqlite3_bind_zeroblob(s, 1, 0);
	else
		db_bind_hash(s, 1, after);
	db_bind_int(s, 2, (int64_t)max);
	while ((got = db_step(db, s, e)) > 0)
		if (db_column_hash(s, 0, &out[*n]) == 0)
			(*n)++;
	return got;
}
