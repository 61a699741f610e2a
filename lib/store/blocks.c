#include "store/blocks.h"

#include <stdio.h>

static int
read_row(struct blocks_item *b, sqlite3_stmt *s, struct err *e)
{
	struct span proposer = db_column_span(s, 5);

	b->height = (uint64_t)sqlite3_column_int64(s, 0);
	b->time_ms = sqlite3_column_int64(s, 2);
	b->txs = (uint64_t)sqlite3_column_int64(s, 3);
	b->size = (uint64_t)sqlite3_column_int64(s, 4);
	snprintf(b->proposer, sizeof(b->proposer), "%.*s",
	    SPAN_FMT(proposer));
	if (db_column_hash(s, 1, &b->id) != 0)
		return err_set(e, ERR_BAD, "state.db: damaged; remove it");
	return 0;
}

int
blocks_each(struct db *db, uint64_t from, int (*fn)(void *arg,
    const struct blocks_item *b, struct err *e), void *arg, struct err *e)
{
	struct blocks_item b;
	sqlite3_stmt *s;
	int ret;

	if (db_stmt(&s, db, "SELECT height, id, time, txs, size, proposer "
	    "FROM block WHERE height>=? ORDER BY height", e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)from);
	while ((ret = db_step(db, s, e)) == 1) {
		ret = read_row(&b, s, e) != 0 ? -1 : fn(arg, &b, e);
		if (ret != 0) {
			sqlite3_reset(s);
			break;
		}
	}
	return ret < 0 ? -1 : 0;
}

int
blocks_get(struct blocks_item *b, struct db *db, uint64_t height,
    struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (db_stmt(&s, db, "SELECT height, id, time, txs, size, proposer "
	    "FROM block WHERE height=?", e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)height);
	if ((ret = db_step(db, s, e)) != 1)
		return ret;
	ret = read_row(b, s, e) == 0 ? 1 : -1;
	sqlite3_reset(s);
	return ret;
}

/* A block that must be there. */
static int
get(struct blocks_item *b, struct db *db, uint64_t height, struct err *e)
{
	if (blocks_get(b, db, height, e) == 1)
		return 0;
	return err_set(e, ERR_BAD, "state.db: block %llu is not there; remove "
	    "it", (unsigned long long)height);
}

/* The first block that is late, or large, enough. */
static int
search(uint64_t *height, struct db *db, uint64_t head, int64_t time_ms,
    uint64_t size, struct err *e)
{
	uint64_t low = 1, high = head + 1;
	struct blocks_item b;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (get(&b, db, mid, e) != 0)
			return -1;
		if (b.time_ms < time_ms || b.size < size)
			low = mid + 1;
		else
			high = mid;
	}
	*height = low;
	return 0;
}

int
blocks_at_time(uint64_t *height, struct db *db, uint64_t head,
    int64_t time_ms, struct err *e)
{
	return search(height, db, head, time_ms, 0, e);
}

int
blocks_at_size(uint64_t *height, struct db *db, uint64_t head, uint64_t size,
    struct err *e)
{
	return search(height, db, head, INT64_MIN, size, e);
}

int
blocks_size_before(uint64_t *size, struct db *db, uint64_t head,
    int64_t time_ms, struct err *e)
{
	struct blocks_item b;
	uint64_t height;

	*size = 0;
	if (blocks_at_time(&height, db, head, time_ms, e) != 0)
		return -1;
	if (height == 1)
		return 0;
	if (get(&b, db, height - 1, e) != 0)
		return -1;
	*size = b.size;
	return 0;
}

int
blocks_find(uint64_t *height, struct db *db, const struct hash *id,
    struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (db_stmt(&s, db, "SELECT height FROM block WHERE id=?", e) != 0)
		return -1;
	db_bind_hash(s, 1, id);
	if ((ret = db_step(db, s, e)) == 1) {
		*height = (uint64_t)sqlite3_column_int64(s, 0);
		sqlite3_reset(s);
	}
	return ret;
}

int
blocks_had_delegate(struct db *db, const char *name, uint64_t height,
    struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	/* A set holds from the height since which it is there. */
	if (db_stmt(&s, db, "SELECT 1 FROM delegate WHERE name=? AND "
	    "since<=?", e) != 0)
		return -1;
	db_bind_span(s, 1, span_str(name));
	db_bind_int(s, 2, (int64_t)height);
	if ((ret = db_step(db, s, e)) == 1)
		sqlite3_reset(s);
	return ret;
}

int
blocks_set_since(uint64_t *since, struct db *db, uint64_t height,
    struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "SELECT max(since) FROM delegate WHERE since<=?",
	    e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)height);
	if (db_step(db, s, e) != 1)
		return -1;
	*since = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 0;
}
