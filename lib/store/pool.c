#include "store/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ledger/rules.h"
#include "store/chain.h"
#include "store/settle.h"
#include "store/verify.h"

struct pool {
	struct repo *repo;
	struct db *db;
	int lock;
	bool begun;		/* a database transaction is open */
	int64_t now_ms;
	uint64_t seq;
	struct segment_writer *out;
};

/* --- reading -------------------------------------------------------------- */

struct reading {
	struct db *db;
	pool_fn *fn;
	void *arg;
	bool failed;		/* not the segment's fault */
};

static int
read_item(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct reading *rd = arg;
	int ret = settle_tx(rd->db, id, e);

	(void)at;
	if (ret == 0)
		ret = rd->fn(rd->arg, id, data, e);
	else if (ret == 1)
		return 0;
	rd->failed = ret < 0;
	return ret;
}

/* Like segment_scan, but what is damaged goes to quarantine. */
static int
scan_file(struct repo *r, const char *name, struct reading *rd,
    struct err *e)
{
	char path[FS_NAME_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", POOL_DIR, name);
	ret = segment_scan(r->dirfd, path, "pending", true, read_item, rd, e);
	if (ret >= 0 || rd->failed)
		return ret;
	if (e->kind == ERR_NO)
		return 0;	/* settled and removed by another process */
	if (e->kind == ERR_BAD)
		return settle_quarantine(r, path, e);
	return ret;
}

int
pool_each(struct repo *r, pool_fn *fn, void *arg, struct err *e)
{
	struct reading rd = { NULL, fn, arg, false };
	struct fs_names list;
	int ret;

	if (db_of(&rd.db, r, e) != 0 ||
	    fs_list(&list, r->dirfd, POOL_DIR, e) != 0)
		return -1;
	ret = 0;
	for (size_t i = 0; i < list.n && ret == 0; i++)
		ret = scan_file(r, list.name[i], &rd, e);
	fs_names_free(&list);
	return ret < 0 ? -1 : 0;
}

static int
count_one(void *arg, const struct hash *id, struct span note, struct err *e)
{
	(void)id, (void)note, (void)e;
	++*(size_t *)arg;
	return 0;
}

int
pool_count(struct repo *r, size_t *n, struct err *e)
{
	*n = 0;
	return pool_each(r, count_one, n, e);
}

struct finding {
	const struct hash *id;
	struct buf *out;
	bool found;
};

static int
find_one(void *arg, const struct hash *id, struct span note, struct err *e)
{
	struct finding *f = arg;

	if (!hash_eq(id, f->id))
		return 0;
	f->found = true;
	buf_add(f->out, note.p, note.n);
	return buf_check(f->out, "transaction", e) == 0 ? 1 : -1;
}

int
pool_find(struct buf *out, struct repo *r, const struct hash *id,
    struct err *e)
{
	struct finding f = { id, out, false };

	if (pool_each(r, find_one, &f, e) != 0)
		return -1;
	return f.found ? 0 : err_set(e, ERR_NO, "no such transaction waits");
}

/* --- adding --------------------------------------------------------------- */

/* Check against the state as it will be, and change it. */
static int
take(struct pool *p, const struct tx *tx, bool trust, struct err *e)
{
	struct state_view v;
	int ret;

	state_view_init(&v, p->repo, p->db);
	if (trust) {
		v.verify = state_verify_came;
		v.verify_arg = p->db;
	}
	ret = rules_check(&v.v, tx, p->now_ms, e);
	if (ret == 0)
		ret = state_apply(p->db, tx, STATE_WAITING, p->seq++, e);
	return ret;
}

/* Whose new keys wait for a block waits, too: see state_verify_came. */
static int
check_author(struct pool *p, const struct tx *tx, struct err *e)
{
	int ret = state_rekey_waits(p->db, tx->author, e);

	if (ret <= 0)
		return ret;
	return err_set(e, ERR_NO, "the new keys of %.*s wait for a block",
	    SPAN_FMT(tx->author));
}

/* One that waits already; what the rules refuse by now is passed over. */
static int
take_waiting(void *arg, const struct hash *id, struct span note,
    struct err *e)
{
	struct pool *p = arg;
	struct tx tx;
	int ret;

	(void)id;
	if (tx_parse(&tx, note, repo_ledger(p->repo), e) != 0)
		return 0;
	ret = take(p, &tx, true, e);
	tx_free(&tx);
	return ret == 0 || e->kind == ERR_NO || e->kind == ERR_BAD ? 0 : -1;
}

int
pool_open(struct pool **out, struct repo *r, int64_t now_ms, struct err *e)
{
	struct pool *p = calloc(1, sizeof(*p));
	struct head h;

	if (p == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	p->repo = r;
	p->now_ms = now_ms;
	p->lock = repo_lock(r, 30000, e);
	if (p->lock < 0 || chain_head(&h, r, e) != 0 ||
	    db_of(&p->db, r, e) != 0 ||
	    db_exec(p->db, "BEGIN IMMEDIATE", e) != 0)
		goto fail;
	p->begun = true;
	p->seq = h.tree.size;
	if (pool_each(r, take_waiting, p, e) != 0 ||
	    segment_open(&p->out, r->dirfd, POOL_DIR, "pending", e) != 0)
		goto fail;
	*out = p;
	return 0;
fail:
	pool_abort(p);
	return -1;
}

struct repo *
pool_repo(struct pool *p)
{
	return p->repo;
}

struct db *
pool_db(struct pool *p)
{
	return p->db;
}

int
pool_add(struct pool *p, struct span note, bool ours, struct hash *id,
    bool *fresh, struct err *e)
{
	struct tx tx;
	int ret;

	if (tx_parse(&tx, note, repo_ledger(p->repo), e) != 0)
		return -1;
	if (id != NULL)
		*id = tx.id;
	ret = settle_tx(p->db, &tx.id, e);
	if (fresh != NULL)
		*fresh = ret == 0;
	if (ret == 0) {
		ret = check_author(p, &tx, e);
		if (ret == 0)
			ret = take(p, &tx, ours, e);
		if (ret == 0)
			ret = segment_add(p->out, note, NULL, NULL, e);
	} else
		ret = ret < 0 ? -1 : 0;
	tx_free(&tx);
	return ret;
}

static void
end(struct pool *p)
{
	struct err ignored;

	if (p->begun)
		db_exec(p->db, "ROLLBACK", &ignored);
	if (p->lock >= 0)
		close(p->lock);
	free(p);
}

int
pool_commit(struct pool *p, struct err *e)
{
	char name[SEGMENT_NAME_LEN];
	int ret = segment_commit(p->out, name, e);

	end(p);
	return ret;
}

void
pool_abort(struct pool *p)
{
	if (p == NULL)
		return;
	segment_abort(p->out);
	end(p);
}
