/* Reading what waits; pool_add.c adds. */
#include "store/pool.h"

#include <stdlib.h>

#include "store/pool_walk.h"

struct each {
	pool_fn *fn;
	void *arg;
};

static int
each_row(void *arg, const struct pool_row *row, struct span note,
    struct err *e)
{
	const struct each *x = arg;

	return x->fn(x->arg, &row->id, note, e);
}

/* Where the tables can be trusted: a caller inside a database transaction has
 * brought them up to date before. */
static int
ready(struct db **db, struct repo *r, struct err *e)
{
	if (db_of(db, r, e) != 0)
		return -1;
	return db_in_transaction(*db) ? 0 : pool_index_refresh(r, e);
}

int
pool_each(struct repo *r, pool_fn *fn, void *arg, struct err *e)
{
	struct each x = { fn, arg };
	struct pool_walk w = { .repo = r, .fn = each_row, .arg = &x };
	bool mine;
	int got;

	if (ready(&w.db, r, e) != 0 || db_snapshot(w.db, &mine, e) != 0)
		return -1;
	got = pool_walk(&w, e);
	db_snapshot_end(w.db, mine);
	return got < 0 ? -1 : 0;
}

static int
by_age(const void *a, const void *b)
{
	const struct pool_row *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* The rows of those that wait, oldest first. */
static int
find_rows(struct pool_row *row, size_t *found, struct db *db,
    const struct hash *id, size_t n, struct err *e)
{
	int got = 0;

	*found = 0;
	for (size_t i = 0; i < n && got >= 0; i++) {
		got = pool_index_find(&row[*found], db, &id[i], e);
		*found += got == 1;
	}
	if (*found > 0)
		qsort(row, *found, sizeof(*row), by_age);
	return got < 0 ? -1 : 0;
}

int
pool_each_of(struct repo *r, const struct hash *id, size_t n, pool_fn *fn,
    void *arg, struct err *e)
{
	struct each x = { fn, arg };
	struct pool_walk w = { .repo = r, .fn = each_row, .arg = &x };
	struct pool_row *row;
	size_t found = 0;
	bool mine;
	int got;

	if (ready(&w.db, r, e) != 0)
		return -1;
	if ((row = calloc(n + 1, sizeof(*row))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (db_snapshot(w.db, &mine, e) != 0) {
		free(row);
		return -1;
	}
	got = find_rows(row, &found, w.db, id, n, e);
	if (got == 0)
		got = pool_walk_rows(&w, row, found, e);
	db_snapshot_end(w.db, mine);
	free(row);
	return got < 0 ? -1 : 0;
}

int
pool_count(struct repo *r, size_t *n, struct err *e)
{
	struct db *db;

	if (ready(&db, r, e) != 0)
		return -1;
	return pool_index_count(n, db, e);
}

int
pool_has(struct repo *r, const struct hash *id, struct err *e)
{
	struct pool_row row;
	struct db *db;

	if (ready(&db, r, e) != 0)
		return -1;
	return pool_index_find(&row, db, id, e);
}

int
pool_find(struct buf *out, struct repo *r, const struct hash *id,
    struct err *e)
{
	struct pool_walk w = { .repo = r };
	struct pool_row row;
	struct db *db;
	int got;

	if (ready(&db, r, e) != 0)
		return -1;
	got = pool_index_find(&row, db, id, e);
	if (got == 1)
		got = pool_walk_one(out, &w, &row, e);
	if (got == 0)
		return err_set(e, ERR_NO, "no such transaction waits");
	return got < 0 ? -1 : 0;
}
