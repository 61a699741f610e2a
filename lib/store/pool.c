#define _GNU_SOURCE	/* reallocarray */
#include "store/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ledger/rules.h"
#include "store/chain.h"
#include "store/settle.h"

#define PAGE 256		/* rows that are looked at together */

struct pool {
	struct repo *repo;
	struct db *db;
	int lock;
	bool begun;		/* a database transaction is open */
	bool some;		/* not all that waits was looked at */
	int64_t now_ms;
	uint64_t seq;
	struct segment_writer *out;
	struct pool_row *row;	/* of what was added */
	size_t n;
	struct pool_row *judged;	/* of what was in doubt */
	size_t njudged;
};

/* --- reading -------------------------------------------------------------- */

struct walk {
	struct repo *repo;
	struct db *db;
	bool system;			/* of these only */
	const struct hash *record;	/* or of those that name it */
	int (*fn)(void *arg, const struct pool_row *row, struct span note,
	    struct err *e);
	void *arg;
	struct pool_reader reader;
	struct buf note;
	char damaged[SEGMENT_NAME_LEN];	/* a segment that was moved away */
};

/* One that does not read goes to quarantine with its whole segment. */
static int
drop_segment(struct walk *w, const struct pool_row *row, struct err *e)
{
	char path[FS_NAME_MAX];

	if (e->kind != ERR_BAD && e->kind != ERR_NO)
		return -1;
	snprintf(w->damaged, sizeof(w->damaged), "%s", row->segment);
	if (e->kind == ERR_NO)
		return 0;	/* settled and removed by another process */
	snprintf(path, sizeof(path), POOL_DIR "/%s", row->segment);
	return settle_quarantine(w->repo, path, e);
}

static int
visit(struct walk *w, const struct pool_row *row, struct err *e)
{
	int got = settle_tx(w->db, &row->id, e);

	if (got != 0)
		return got < 0 ? -1 : 0;
	if (strcmp(row->segment, w->damaged) == 0)
		return 0;
	buf_reset(&w->note);
	if (pool_reader_get(&w->note, &w->reader, row, e) != 0)
		return drop_segment(w, row, e);
	return w->fn(w->arg, row, buf_span(&w->note), e);
}

static void
begin_walk(struct walk *w)
{
	w->reader = (struct pool_reader)POOL_READER(w->repo);
	buf_init(&w->note, TX_MAX);
}

static void
end_walk(struct walk *w)
{
	pool_reader_close(&w->reader);
	buf_free(&w->note);
}

/* Until fn returns other than 0: what it did. */
static int
walk(struct walk *w, struct err *e)
{
	struct pool_row *row = malloc(PAGE * sizeof(*row)), after;
	bool more = false;
	size_t n = PAGE;
	int got = 0;

	if (row == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	begin_walk(w);
	while (got == 0 && n == PAGE) {
		got = pool_index_page(row, PAGE, &n, w->db,
		    more ? &after : NULL, w->system, w->record, e);
		for (size_t i = 0; i < n && got == 0; i++)
			got = visit(w, &row[i], e);
		if (n > 0)
			after = row[n - 1];
		more = true;
	}
	end_walk(w);
	free(row);
	return got;
}

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
	struct walk w = { .repo = r, .fn = each_row, .arg = &x };
	bool mine;
	int got;

	if (ready(&w.db, r, e) != 0 || db_snapshot(w.db, &mine, e) != 0)
		return -1;
	got = walk(&w, e);
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
	struct walk w = { .repo = r, .fn = each_row, .arg = &x };
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
	begin_walk(&w);
	for (size_t i = 0; i < found && got == 0; i++)
		got = visit(&w, &row[i], e);
	end_walk(&w);
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
	struct walk w = { .repo = r };
	struct pool_row row;
	struct db *db;
	int got;

	if (ready(&db, r, e) != 0)
		return -1;
	got = pool_index_find(&row, db, id, e);
	begin_walk(&w);
	if (got == 1 && pool_reader_get(out, &w.reader, &row, e) != 0)
		got = drop_segment(&w, &row, e);
	end_walk(&w);
	if (got == 0)
		return err_set(e, ERR_NO, "no such transaction waits");
	return got < 0 ? -1 : 0;
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

/* Room for one more row, whose number is *n. */
static struct pool_row *
more(struct pool_row **row, size_t *n, struct err *e)
{
	/* A power of two is when the array is full. */
	if ((*n & (*n - 1)) == 0) {
		struct pool_row *grown = reallocarray(*row,
		    *n == 0 ? 1 : *n * 2, sizeof(*grown));

		if (grown == NULL) {
			err_set(e, ERR_SYS, "out of memory");
			return NULL;
		}
		*row = grown;
	}
	return &(*row)[(*n)++];
}

/* One that waits already; what the rules refuse by now is passed over. */
static int
take_waiting(void *arg, const struct pool_row *row, struct span note,
    struct err *e)
{
	struct pool_row *judged;
	struct pool *p = arg;
	struct tx tx;
	int ret;

	ret = tx_parse(&tx, note, repo_ledger(p->repo), e);
	if (ret == 0) {
		ret = take(p, &tx, true, e);
		tx_free(&tx);
	}
	if (ret != 0 && e->kind != ERR_NO && e->kind != ERR_BAD)
		return -1;
	if (row->doubt == POOL_STANDS)
		return 0;
	if ((judged = more(&p->judged, &p->njudged, e)) == NULL)
		return -1;
	*judged = *row;
	judged->doubt = ret == 0 ? POOL_STANDS : POOL_REFUSED;
	return 0;
}

/* Take what waits: all, or what is system, or what names a record. */
static int
take_all(struct pool *p, bool system, const struct hash *record,
    struct err *e)
{
	struct walk w = { .repo = p->repo, .db = p->db, .system = system,
	    .record = record, .fn = take_waiting, .arg = p };

	return walk(&w, e);
}

static int
open_pool(struct pool **out, struct repo *r, bool some, int64_t now_ms,
    struct err *e)
{
	struct pool *p = calloc(1, sizeof(*p));
	struct head h;

	if (p == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	p->repo = r;
	p->some = some;
	p->now_ms = now_ms;
	p->lock = repo_lock(r, 30000, e);
	if (p->lock < 0 || chain_head(&h, r, e) != 0 ||
	    pool_index_refresh(r, e) != 0 || db_of(&p->db, r, e) != 0 ||
	    db_exec(p->db, "BEGIN IMMEDIATE", e) != 0)
		goto fail;
	p->begun = true;
	p->seq = h.tree.size;
	if (take_all(p, some, NULL, e) != 0 ||
	    segment_open(&p->out, r->dirfd, POOL_DIR, "pending", e) != 0)
		goto fail;
	*out = p;
	return 0;
fail:
	pool_abort(p);
	return -1;
}

int
pool_open(struct pool **out, struct repo *r, int64_t now_ms, struct err *e)
{
	return open_pool(out, r, false, now_ms, e);
}

int
pool_open_add(struct pool **out, struct repo *r, int64_t now_ms,
    struct err *e)
{
	return open_pool(out, r, true, now_ms, e);
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

/* Is it on the ledger, or waiting?  1, 0, -1. */
static int
is_known(struct pool *p, const struct hash *id, struct err *e)
{
	struct pool_row row;
	int got = settle_tx(p->db, id, e);

	return got != 0 || !p->some ? got :
	    pool_index_find(&row, p->db, id, e);
}

/* Check it on what waits, and write it. */
static int
add(struct pool *p, const struct tx *tx, bool ours, struct err *e)
{
	struct pool_row *row;
	uint64_t at;

	if (p->some && tx_names_record(tx->kind) &&
	    take_all(p, false, &tx->record, e) != 0)
		return -1;
	if (check_author(p, tx, e) != 0 || take(p, tx, ours, e) != 0 ||
	    segment_add_hashed(p->out, tx->note.whole, &tx->id, &at, e) != 0 ||
	    (row = more(&p->row, &p->n, e)) == NULL)
		return -1;
	memset(row, 0, sizeof(*row));
	pool_index_describe(row, tx);
	row->at = at;
	row->size = tx->note.whole.n;
	row->whole = true;
	return 0;
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
	ret = is_known(p, &tx.id, e);
	if (fresh != NULL)
		*fresh = ret == 0;
	if (ret == 0)
		ret = add(p, &tx, ours, e);
	else
		ret = ret < 0 ? -1 : 0;
	tx_free(&tx);
	return ret;
}

/* The state is as it was; then the lock goes. */
static void
end(struct pool *p)
{
	struct err ignored;

	if (p->begun)
		db_exec(p->db, "ROLLBACK", &ignored);
	p->begun = false;
}

static void
release(struct pool *p)
{
	end(p);
	if (p->lock >= 0)
		close(p->lock);
	free(p->row);
	free(p->judged);
	free(p);
}

int
pool_commit(struct pool *p, struct err *e)
{
	char name[SEGMENT_NAME_LEN];
	int ret = segment_commit(p->out, name, e);
	struct err ignored;

	end(p);
	/* The segment counts; the tables can be made again from it. */
	if (ret == 0 && name[0] != '\0')
		pool_index_add(p->repo, name, p->row, p->n, &ignored);
	release(p);
	return ret;
}

void
pool_abort(struct pool *p)
{
	if (p == NULL)
		return;
	segment_abort(p->out);
	release(p);
}

/* --- what stands ---------------------------------------------------------- */

/* Ask the rules about all, on a state that is then forgotten. */
static int
judge(struct repo *r, int64_t now_ms, struct err *e)
{
	struct pool *p;
	int ret;

	if (pool_open(&p, r, now_ms, e) != 0)
		return -1;
	end(p);
	ret = pool_index_judge(r, p->judged, p->njudged, e);
	pool_abort(p);
	return ret;
}

int
pool_standing(struct repo *r, int64_t now_ms, struct pool_mark *from,
    pool_row_fn *fn, void *arg, struct err *e)
{
	struct pool_row *row, after = { .file = -1 };
	size_t n = PAGE;
	struct db *db;
	int got;

	if (pool_index_refresh(r, e) != 0 || db_of(&db, r, e) != 0 ||
	    (got = pool_index_doubts(db, e)) < 0 ||
	    (got == 1 && judge(r, now_ms, e) != 0))
		return -1;
	if ((row = malloc(PAGE * sizeof(*row))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (from != NULL && from->file > 0) {
		after.file = from->file;
		after.at = from->at;
	}
	for (got = 0; got == 0 && n == PAGE;) {
		got = pool_index_page(row, PAGE, &n, db, &after, false, NULL,
		    e);
		for (size_t i = 0; i < n && got == 0; i++)
			if (row[i].doubt == POOL_STANDS)
				got = fn(arg, &row[i], e);
		if (n > 0)
			after = row[n - 1];
	}
	free(row);
	if (from != NULL && got == 0 && after.file > 0)
		*from = (struct pool_mark){ after.file, after.at };
	return got;
}
