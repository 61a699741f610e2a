#include "store/state.h"

#include "base/hex.h"
#include "ledger/name.h"
#include "ledger/perm.h"

static int
damaged(struct err *e)
{
	return err_set(e, ERR_BAD, "state.db: damaged; remove it");
}

/* The peaks as they lie in the table: 32 bytes each, largest tree first. */
static int
get_tree(struct merkle *m, sqlite3_stmt *s, int size, int peaks)
{
	size_t n = (size_t)sqlite3_column_bytes(s, peaks);

	merkle_init(m);
	m->size = (uint64_t)sqlite3_column_int64(s, size);
	m->n = (unsigned)__builtin_popcountll(m->size);
	if (n != m->n * HASH_LEN)
		return -1;
	if (n > 0)
		memcpy(m->peak, sqlite3_column_blob(s, peaks), n);
	return 0;
}

/*
 * All of it by one statement, so that it is of one moment: another process may
 * take a block at any time.
 */
int
state_head(struct head *h, struct db *db, struct err *e)
{
	sqlite3_stmt *s;
	int r;

	if (db_stmt(&s, db, "SELECT value, "
	    "(SELECT value FROM meta WHERE key='time'), "
	    "(SELECT value FROM meta WHERE key='head'), "
	    "(SELECT value FROM meta WHERE key='size'), "
	    "(SELECT value FROM meta WHERE key='tree') "
	    "FROM meta WHERE key='height'", e) != 0)
		return -1;
	if ((r = db_step(db, s, e)) != 1)
		return r;
	h->height = (uint64_t)sqlite3_column_int64(s, 0);
	h->time_ms = sqlite3_column_int64(s, 1);
	if (db_column_hash(s, 2, &h->id) != 0 ||
	    get_tree(&h->tree, s, 3, 4) != 0)
		r = damaged(e);
	sqlite3_reset(s);
	return r;
}

int
state_is_of(struct db *db, const struct hash *ledger, struct err *e)
{
	sqlite3_stmt *s;
	int r;

	if (db_stmt(&s, db, "SELECT 1 FROM meta WHERE key='ledger' AND "
	    "value=?", e) != 0)
		return -1;
	db_bind_hash(s, 1, ledger);
	r = db_step(db, s, e);
	if (r > 0)
		sqlite3_reset(s);
	return r;
}

int
state_set_ledger(struct db *db, const struct hash *ledger, struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "INSERT INTO meta(key, value) "
	    "VALUES('ledger', ?1) ON CONFLICT(key) DO UPDATE SET value=?1",
	    e) != 0)
		return -1;
	db_bind_hash(s, 1, ledger);
	return db_run(db, s, e);
}

int
state_set_head(struct db *db, const struct head *h, struct err *e)
{
	size_t peaks = h->tree.n * HASH_LEN;
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "INSERT INTO meta(key, value) VALUES"
	    "('height', ?), ('time', ?), ('size', ?), ('head', ?), "
	    "('tree', ?) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
	    e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)h->height);
	db_bind_int(s, 2, h->time_ms);
	db_bind_int(s, 3, (int64_t)h->tree.size);
	db_bind_hash(s, 4, &h->id);
	sqlite3_bind_blob(s, 5, peaks == 0 ? "" : (const void *)h->tree.peak,
	    (int)peaks, SQLITE_STATIC);
	return db_run(db, s, e);
}

int
state_add_block(struct db *db, const struct block_header *h, struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "INSERT INTO block(height, id, time, txs, size, "
	    "proposer) VALUES(?, ?, ?, ?, ?, ?)", e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)h->height);
	db_bind_hash(s, 2, &h->id);
	db_bind_int(s, 3, h->time_ms);
	db_bind_int(s, 4, h->txs);
	db_bind_int(s, 5, (int64_t)h->size);
	db_bind_span(s, 6, h->proposer);
	return db_run(db, s, e);
}

/* --- delegates ------------------------------------------------------------ */

/* Read rows of (name, sign) into the set. */
static int
read_set(struct delegates *set, struct db *db, sqlite3_stmt *s, struct err *e)
{
	int r;

	set->n = 0;
	while ((r = db_step(db, s, e)) == 1) {
		struct span name = db_column_span(s, 0);
		struct delegate *d = &set->d[set->n];

		if (set->n == GENESIS_NODES_MAX || name.n > NAME_MAX_LEN ||
		    sign_pub_parse(&d->sign, db_column_span(s, 1), e) != 0) {
			sqlite3_reset(s);
			return damaged(e);
		}
		memcpy(d->name, name.p, name.n);
		d->name[name.n] = '\0';
		set->n++;
	}
	return r;
}

int
state_delegates(struct delegates *set, struct db *db, uint64_t height,
    struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "SELECT name, sign FROM delegate WHERE since="
	    "(SELECT max(since) FROM delegate WHERE since<=?) ORDER BY seat",
	    e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)height);
	if (read_set(set, db, s, e) != 0)
		return -1;
	if (set->n == 0)
		return err_set(e, ERR_NO, "no delegates known for height %llu",
		    (unsigned long long)height);
	return 0;
}

int
state_elect(struct delegates *set, struct db *db, uint32_t seats,
    struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, "SELECT name, sign FROM node WHERE active "
	    "ORDER BY (SELECT count(*) FROM vote JOIN node AS voter ON "
	    "voter.name=vote.node AND voter.active WHERE choice=node.name) "
	    "DESC, name LIMIT ?", e) != 0)
		return -1;
	db_bind_int(s, 1, seats);
	return read_set(set, db, s, e);
}

int
state_set_delegates(struct db *db, const struct delegates *set,
    uint64_t since, struct err *e)
{
	struct buf sign = BUF_INIT(2048);
	struct delegates old;
	struct hash a, b;
	sqlite3_stmt *s;
	int r = 0;

	if (since > 1) {
		if (state_delegates(&old, db, since, e) != 0)
			return -1;
		delegates_digest(&a, &old);
		delegates_digest(&b, set);
		if (hash_eq(&a, &b))
			return 0;
	}
	for (size_t i = 0; r == 0 && i < set->n; i++) {
		buf_reset(&sign);
		sign_pub_add(&sign, &set->d[i].sign);
		r = db_stmt(&s, db, "INSERT INTO delegate(since, seat, name, "
		    "sign) VALUES(?, ?, ?, ?)", e);
		if (r != 0)
			break;
		db_bind_int(s, 1, (int64_t)since);
		db_bind_int(s, 2, (int64_t)i);
		db_bind_span(s, 3, span_str(set->d[i].name));
		db_bind_span(s, 4, buf_span(&sign));
		r = db_run(db, s, e);
	}
	buf_free(&sign);
	return r;
}
