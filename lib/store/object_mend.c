#define _GNU_SOURCE
#include "store/object_mend.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/db.h"
#include "store/object_find.h"
#include "store/settle.h"

/* --- which are damaged ---------------------------------------------------- */

static int
look_item(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct db *db = arg;
	sqlite3_stmt *s;
	int got;

	(void)at;
	if (data.p != NULL || data.n == 0)
		return 0;
	if (db_stmt(&s, db, "SELECT 1 FROM dismissed WHERE object=?", e) != 0)
		return -1;
	db_bind_hash(s, 1, id);
	got = db_step(db, s, e);
	sqlite3_reset(s);
	return got == 1 ? 0 : got < 0 ? -1 : err_set(e, ERR_BAD, "an item was "
	    "overwritten with zeros, and the ledger did not dismiss it");
}

int
object_segments(struct repo *r, struct db *db, object_right *right,
    int (*fn)(void *arg, const char *path, const char *why, struct err *e),
    void *arg, struct err *e)
{
	struct fs_names list;
	char path[FS_NAME_MAX];
	struct err why;
	int ret = 0;

	if (fs_list(&list, r->dirfd, OBJECT_SEG_DIR, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		snprintf(path, sizeof(path), OBJECT_SEG_DIR "/%s",
		    list.name[i]);
		if (right(arg, path) || segment_scan(r->dirfd, path,
		    OBJECT_SEG_KIND, true, look_item, db, &why) == 0)
			continue;
		if (why.kind == ERR_SYS || why.kind == ERR_AGAIN) {
			*e = why;
			ret = -1;
		} else if (why.kind == ERR_BAD)
			ret = fn(arg, path, why.msg, e);
	}
	fs_names_free(&list);
	return ret;
}

/* --- mending -------------------------------------------------------------- */

struct salvage {
	struct repo *repo;
	struct segment_writer *w;
	struct object_item *item;	/* what was put into it */
	size_t n;
};

/* One place of the old segment, if what is there is whole.  -1: ours. */
static int
save(struct salvage *v, const struct object_row *row, const struct hash *id,
    struct err *e)
{
	struct buf data = BUF_INIT(SEGMENT_ITEM_MAX);
	struct object_item *item = &v->item[v->n];
	struct object_place p;
	unsigned char *to;
	struct hash is;
	int ret = object_row_open(&p, v->repo, row, O_RDONLY, e);

	if (ret <= 0)
		return ret;
	if (p.size <= SEGMENT_ITEM_MAX &&
	    (to = buf_room(&data, (size_t)p.size)) != NULL) {
		ret = object_place_read(&p, v->repo, to, 0, (size_t)p.size, e);
		data.len = ret == 0 ? (size_t)p.size : 0;
		hash_bytes(&is, data.p, data.len);
		if (ret == 0 && hash_eq(&is, id)) {
			*item = (struct object_item){ .id = *id,
			    .size = p.size };
			ret = segment_add_hashed(v->w, buf_span(&data), id,
			    &item->at, e);
			v->n += ret == 0;
		} else if (ret != 0 && e->kind != ERR_SYS)
			ret = 0;
	} else
		ret = 0;
	close(p.fd);
	buf_free(&data);
	return ret < 0 ? -1 : 0;
}

/* All rows of a segment, in the order of the file. */
static int
save_all(struct salvage *v, struct db *db, const char *name, struct err *e)
{
	struct object_row row = { .at = 0 };
	struct object_item *more;
	sqlite3_stmt *s;
	struct hash id;
	int got;

	if (db_stmt(&s, db, "SELECT id, at, size FROM segment_object WHERE "
	    "segment=? ORDER BY at", e) != 0)
		return -1;
	db_bind_span(s, 1, span_str(name));
	while ((got = db_step(db, s, e)) == 1) {
		more = reallocarray(v->item, v->n + 1, sizeof(*more));
		if (more == NULL) {
			got = err_set(e, ERR_SYS, "out of memory");
			break;
		}
		v->item = more;
		snprintf(row.segment, sizeof(row.segment), "%s", name);
		row.at = (uint64_t)sqlite3_column_int64(s, 1);
		row.size = (uint64_t)sqlite3_column_int64(s, 2);
		if (db_column_hash(s, 0, &id) == 0 &&
		    save(v, &row, &id, e) != 0) {
			got = -1;
			break;
		}
	}
	sqlite3_reset(s);
	return got;
}

static int
forget(struct db *db, const char *name, struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "DELETE FROM segment_object WHERE segment=?",
	    e) != 0)
		return -1;
	db_bind_span(s, 1, span_str(name));
	if (db_run(db, s, e) != 0 || db_stmt(&s, db, "DELETE FROM segment "
	    "WHERE name=?", e) != 0)
		return -1;
	db_bind_span(s, 1, span_str(name));
	return db_run(db, s, e);
}

int
object_segment_mend(char to[FS_NAME_MAX], struct repo *r, const char *path,
    struct err *e)
{
	const char *name = strrchr(path, '/') + 1;
	struct salvage v = { .repo = r };
	char made[SEGMENT_NAME_LEN];
	struct db *db;
	int ret;

	if (strlen(name) >= SEGMENT_NAME_LEN)
		return settle_quarantine_as(to, r, path, false, e);
	if (db_of(&db, r, e) != 0 || object_reindex(r, e) != 0 ||
	    segment_open(&v.w, r->dirfd, OBJECT_SEG_DIR, OBJECT_SEG_KIND,
	    e) != 0)
		return -1;
	ret = save_all(&v, db, name, e);
	if (ret == 0)
		ret = segment_commit(v.w, made, e);
	else
		segment_abort(v.w);
	if (ret == 0 && made[0] != '\0')
		ret = object_index_add(r, made, v.item, v.n, e);
	free(v.item);
	if (ret == 0)
		ret = settle_quarantine_as(to, r, path, false, e);
	return ret == 0 ? forget(db, name, e) : -1;
}
