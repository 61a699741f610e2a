#include "store/state.h"

#include "base/hex.h"
#include "ledger/name.h"
#include "ledger/perm.h"

static int
get_meta(sqlite3_stmt **s, struct db *db, const char *key, struct err *e)
{
	if (db_stmt(s, db, "SELECT value FROM meta WHERE key=?", e) != 0)
		return -1;
	db_bind_span(*s, 1, span_str(key));
	return db_step(db, *s, e);
}

static int
get_int(int64_t *out, struct db *db, const char *key, struct err *e)
{
	sqlite3_stmt *s;
	int r = get_meta(&s, db, key, e);

	if (r <= 0)
		return r;
	*out = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 1;
}

/* The peaks as they lie in the table: 32 bytes each, largest tree first. */
static int
get_tree(struct merkle *m, int64_t size, struct db *db, struct err *e)
{
	sqlite3_stmt *s;
	int r = get_meta(&s, db, "tree", e), n;

	if (r < 0)
		return -1;
	merkle_init(m);
	n = r == 0 ? 0 : sqlite3_column_bytes(s, 0);
	m->size = (uint64_t)size;
	m->n = (unsigned)__builtin_popcountll(m->size);
	if (r == 0 || n != (int)m->n * HASH_LEN) {
		sqlite3_reset(s);
		return err_set(e, ERR_BAD, "state.db: damaged; remove it");
	}
	if (n > 0)
		memcpy(m->peak, sqlite3_column_blob(s, 0), (size_t)n);
	sqlite3_reset(s);
	return 0;
}

int
state_head(struct head *h, struct db *db, struct err *e)
{
	int64_t height, size;
	sqlite3_stmt *s;
	int r = get_int(&height, db, "height", e);

	if (r <= 0)
		return r;
	h->height = (uint64_t)height;
	if (get_int(&h->time_ms, db, "time", e) != 1 ||
	    get_int(&size, db, "size", e) != 1 ||
	    get_meta(&s, db, "head", e) != 1)
		goto damaged;
	r = db_column_hash(s, 0, &h->id);
	sqlite3_reset(s);
	if (r != 0)
		goto damaged;
	return get_tree(&h->tree, size, db, e) == 0 ? 1 : -1;
damaged:
	return err_set(e, ERR_BAD, "state.db: damaged; remove it");
}

static int
set_meta(sqlite3_stmt **s, struct db *db, const char *key, struct err *e)
{
	if (db_stmt(s, db, "INSERT INTO meta(key, value) VALUES(?1, ?2) "
	    "ON CONFLICT(key) DO UPDATE SET value=?2", e) != 0)
		return -1;
	db_bind_span(*s, 1, span_str(key));
	return 0;
}

static int
set_int(struct db *db, const char *key, int64_t v, struct err *e)
{
	sqlite3_stmt *s;

	if (set_meta(&s, db, key, e) != 0)
		return -1;
	db_bind_int(s, 2, v);
	return db_run(db, s, e);
}

static int
set_blob(struct db *db, const char *key, const void *p, size_t n,
    struct err *e)
{
	sqlite3_stmt *s;

	if (set_meta(&s, db, key, e) != 0)
		return -1;
	sqlite3_bind_blob(s, 2, n == 0 ? "" : p, (int)n, SQLITE_STATIC);
	return db_run(db, s, e);
}

int
state_set_head(struct db *db, const struct head *h, struct err *e)
{
	if (set_int(db, "height", (int64_t)h->height, e) != 0 ||
	    set_int(db, "time", h->time_ms, e) != 0 ||
	    set_int(db, "size", (int64_t)h->tree.size, e) != 0 ||
	    set_blob(db, "head", h->id.b, HASH_LEN, e) != 0)
		return -1;
	return set_blob(db, "tree", h->tree.peak, h->tree.n * HASH_LEN, e);
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
			return err_set(e, ERR_BAD,
			    "state.db: damaged; remove it");
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
